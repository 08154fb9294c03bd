/* Buttons that copy the code beside them: `data-of` is the id of its element. */

const SAID_FOR = 1500;

// Where a page may not write to the clipboard, what is to be copied is selected instead.
async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return "Copied";
  } catch {
    getSelection().selectAllChildren(element);
    return "Selected";
  }
}

/** Copies a text, says so on the button for a moment, and returns what was said. */
export async function copyText(text, button) {
  const before = button.dataset.name ?? (button.dataset.name = button.textContent);
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    said = "Copy it from the address bar";
  }
  button.textContent = said;
  setTimeout(() => (button.textContent = before), SAID_FOR);
  return said;
}

/** Lets the buttons in `root` work; `news` is the element whose text screen readers say. */
export function offerCopies(root, news) {
  for (const button of root.querySelectorAll("[data-of]")) {
    const before = button.textContent;
    button.addEventListener("click", async () => {
      const said = await copy(document.getElementById(button.dataset.of));
      news.textContent = button.textContent = said;
      setTimeout(() => (button.textContent = before), SAID_FOR);
    });
  }
}
