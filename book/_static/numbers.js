// A number of the text, pressed, says in place where it comes from; its row is one link further.
// What an address leads to may be folded, and opens for it.
(() => {
  "use strict";
  let pressed; // the number from which a reader went to its row

  const show = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const own = target?.querySelector(":scope > details.folded"); // of a section, itself
    let folded = own ?? target?.closest("details:not(.option)");
    if (!folded) return;
    for (; folded; folded = folded.parentElement.closest("details")) folded.open = true;
    target.scrollIntoView();
    if (pressed && target.matches("tr")) lead_back(target);
  };

  const lead_back = (row) => {
    const back = document.createElement("button");
    const from = pressed;
    back.type = "button";
    back.className = "back";
    back.textContent = "Back to the text";
    back.onclick = () => {
      back.remove();
      from.scrollIntoView({ block: "center" });
      from.focus();
    };
    document.querySelector("tr .back")?.remove();
    row.lastElementChild.append(back);
    back.focus({ preventScroll: true });
  };

  // What the row says, by the names of its columns; what it lacks is left out.
  const CALLED = { estimate: "exactly", lower: "95% CI from", upper: "95% CI to", n: "patients" };
  const facts = (row) => {
    const names = [...row.closest("table").querySelectorAll("thead th")].map((th) => th.textContent);
    return [...row.cells]
      .map((cell, place) => [names[place], cell.firstChild?.textContent ?? ""])
      .filter(([name, value]) => name !== "Row" && value && value !== "–")
      .map(([name, value]) => [CALLED[name] ?? name, value]);
  };

  const printed = (row) => {
    const line = document.querySelector(`tr[data-rows~="${row.id.slice(4)}"]`);
    if (!line) return [];
    const text = [...line.cells].map((cell) => cell.textContent);
    return [["printed", `${text[1]} (${text.at(-1)})`]];
  };

  const panel = document.createElement("div");
  panel.className = "number-panel";
  panel.popover = "auto";
  panel.setAttribute("role", "dialog");

  const open = (number) => {
    const row = document.getElementById(number.hash.slice(1));
    const list = document.createElement("dl");
    const known = row?.matches("tr")
      ? [...facts(row), ...printed(row)]
      : [["from", number.title || number.getAttribute("aria-description")]];
    for (const [name, value] of known) {
      for (const [kind, text] of [["dt", name], ["dd", value]]) {
        list.append(Object.assign(document.createElement(kind), { textContent: text }));
      }
    }
    const head = document.createElement("p");
    head.textContent = number.textContent;
    const link = document.createElement("a");
    link.href = number.href;
    link.textContent = row ? "See its row" : "See where it stands";
    link.onclick = () => {
      pressed = number;
      panel.hidePopover();
      if (location.hash === number.hash) show();
    };
    panel.replaceChildren(head, list, link);
    panel.setAttribute("aria-label", `Where ${number.textContent} comes from`);
    number.after(panel); // so that the next Tab is in it
    panel.showPopover();
    const { left, bottom, top } = number.getBoundingClientRect();
    const { width, height } = panel.getBoundingClientRect();
    const under = bottom + height + 8 < innerHeight || top < height + 8;
    panel.style.left = `${scrollX + Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    panel.style.top = `${scrollY + (under ? bottom + 6 : top - height - 6)}px`;
    link.focus({ preventScroll: true });
  };
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    panel.hidePopover();
    panel.previousElementSibling.focus({ preventScroll: true });
  });

  addEventListener("hashchange", show);
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a.number, .page-toc a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.matches(".number") && panel.showPopover) {
      event.preventDefault();
      open(link);
    } else if (link.hash === location.hash) show(); // pressed again, the address stays the same
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
})();
