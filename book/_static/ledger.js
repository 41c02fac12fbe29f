// Filters the scorecard's list of printed numbers: by words, by kind, by sameness.
//
// The page holds the whole list; without this script it stays whole and shows no controls. All
// text is only read and compared, never written as markup.
(() => {
  "use strict";
  const plain = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();

  const start = (ledger) => {
    const controls = ledger.querySelector(".ledger-controls");
    const count = ledger.querySelector(".ledger-count");
    const { words, kind, same } = controls.elements;
    const rows = [...ledger.querySelectorAll("tbody tr")].map((row) => ({
      row,
      text: plain([...row.cells].map((cell) => cell.textContent).join(" ")),
    }));

    const apply = () => {
      const wanted = plain(words.value).split(" ");
      let shown = 0;
      for (const { row, text } of rows) {
        row.hidden = !(
          wanted.every((word) => text.includes(word)) &&
          (!kind.value || row.dataset.kind === kind.value) &&
          (!same.value || row.dataset.same === same.value)
        );
        shown += row.hidden ? 0 : 1;
      }
      count.textContent = `Showing ${shown} of ${rows.length}`;
    };

    controls.addEventListener("input", apply);
    controls.addEventListener("submit", (event) => event.preventDefault());
    controls.hidden = false;
    apply(); // a browser may have kept what was typed
  };

  const startAll = () => document.querySelectorAll(".ledger").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
