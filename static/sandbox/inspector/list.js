import { element } from "./elements.js";

// A list whose rows are kept by key: only what changed is drawn again, so that what is open stays open.
// `make(item)` gives a row: {element, update(item)}.
export function keyedList(list, make) {
  const rows = new Map();

  function row(item) {
    const known = rows.get(item.key);
    if (!known) rows.set(item.key, { item, ...make(item) });
    else if (known.item !== item) {
      known.update(item);
      known.item = item;
    }
    return rows.get(item.key).element;
  }

  function place(elements) {
    const wanted = new Set(elements);
    for (const old of [...list.children]) if (!wanted.has(old)) old.remove();
    let next = list.firstElementChild;
    for (const each of elements) {
      if (each === next) next = next.nextElementSibling;
      else list.insertBefore(each, next);
    }
  }

  // `items` are shown; of `all` the rows are kept for later.
  return (items, all = items) => {
    const focused = document.activeElement;
    place(items.map(row));
    const kept = new Set([...items, ...all].map((item) => item.key));
    for (const key of rows.keys()) if (!kept.has(key)) rows.delete(key);
    // A row that moves loses the focus.
    if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
  };
}

// A row that opens; its body is made when it is first seen.
export function openingRow({ head, body, beside }) {
  return (first) => {
    let item = first;
    let drawn = null;
    const summary = element("summary", "head");
    const inside = element("div", "body");
    const details = element("details", "", summary, inside);
    const row = element("li", "row", details);

    function fill() {
      if (!details.open || drawn === item) return;
      drawn = item;
      const focus = inside.contains(document.activeElement) ? document.activeElement.dataset.focus : "";
      inside.replaceChildren(...body(item.value).filter(Boolean));
      if (focus) inside.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
    }

    function update(next) {
      item = next;
      summary.replaceChildren(...head(item.value, row).filter(Boolean));
      fill();
    }

    // Whoever selects a part of the head, to copy it, does not want to open it.
    summary.addEventListener("click", (event) => {
      const selection = getSelection();
      if (event.detail && !selection.isCollapsed && summary.contains(selection.anchorNode)) event.preventDefault();
    });
    details.addEventListener("toggle", fill);
    if (beside) row.append(beside(first.value));
    update(first);
    return { element: row, update };
  };
}

// Runs a change of the lists and lets what the reader looks at stay where it is.
export function inPlace(panes, change) {
  const anchors = panes
    .filter((pane) => pane.checkVisibility())
    .map(anchorOf)
    .filter(Boolean);
  change();
  for (const { scroller, row, top } of anchors) {
    if (row.isConnected) scroller.scrollTop += row.getBoundingClientRect().top - top;
  }
}

function anchorOf(pane) {
  const scrolls = getComputedStyle(pane).overflowY === "auto";
  const scroller = scrolls ? pane : document.scrollingElement;
  if (!scroller.scrollTop) return null;
  const edge = scrolls ? pane.getBoundingClientRect().top : 0;
  const row = [...pane.querySelectorAll("li, tbody > tr")].find((each) => each.getBoundingClientRect().bottom > edge);
  return row && { scroller, row, top: row.getBoundingClientRect().top };
}
