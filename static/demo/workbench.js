// The workbench's own buttons. Everything else on it is a form that works without this script.
(function () {
  "use strict";

  const copy = document.getElementById("copy");
  const load = document.getElementById("call-load");

  // Intercom's session ends in the page, or the next person in this browser would see the last one's chat.
  function endSession(event) {
    const pressed = event.submitter;
    const leaves = pressed && pressed.name === "person" && pressed.value !== document.body.dataset.person;
    if (leaves && document.body.dataset.person !== "visitor") window.Intercom?.("shutdown");
  }

  async function copyProduced() {
    const code = document.getElementById("produced");
    try {
      await navigator.clipboard.writeText(code.textContent);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      copy.textContent = "Selected";
    }
  }

  document.addEventListener("submit", endSession);
  copy.hidden = false;
  copy.addEventListener("click", copyProduced);
  if (load) {
    load.hidden = false;
    load.addEventListener("click", () => window.intercomLoad());
    document.addEventListener("intercom:ready", () => load.remove());
  }
})();
