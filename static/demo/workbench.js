// The workbench's own buttons. Everything else on it is a form that works without this script.
(function () {
  "use strict";

  const copy = document.getElementById("copy");
  const load = document.getElementById("call-load");

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

  // Whoever pressed it with the keyboard goes on at the option beside it, not at the top of the page.
  function removeLoad() {
    if (document.activeElement === load) document.getElementById("load-manual").focus({ preventScroll: true });
    load.remove();
  }

  copy.hidden = false;
  copy.addEventListener("click", copyProduced);
  if (load) {
    load.hidden = false;
    load.addEventListener("click", () => window.intercomLoad());
    document.addEventListener("intercom:ready", removeLoad);
  }
})();
