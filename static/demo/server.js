// The calls from the server: a button has the site's own view make the call, and says what came of it.
(function () {
  "use strict";

  const calls = document.getElementById("server");
  const said = document.getElementById("server-said");

  function say(text, refused) {
    said.textContent = text;
    said.classList.toggle("refused", refused);
  }

  async function call(method) {
    try {
      const response = await fetch(calls.dataset.say, { method: "POST", body: new URLSearchParams({ call: method }) });
      const { accepted, refused } = await response.json();
      say(accepted || refused, !accepted);
      document.dispatchEvent(new Event("demo:said"));
    } catch {
      say(`${method}() was not made: the site does not answer. Start it again with segment-intercom demo.`, true);
    }
  }

  // Presses are answered in their order, however long an answer takes: the next call waits for the last one's.
  let last = Promise.resolve();
  calls.addEventListener("click", ({ target }) => {
    if (target.value) last = last.then(() => call(target.value));
  });
  for (const button of calls.querySelectorAll("button")) button.hidden = false;
})();
