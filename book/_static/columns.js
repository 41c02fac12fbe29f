// A table or a formula that is wider than the screen says so in words, until its end is in sight.
//
// The words stand between caption and table in room of their own, so nothing moves. They are for the
// eye: who listens has all columns, and a keyboard scrolls the table itself.
(() => {
  "use strict";
  const watch = (table) => {
    const said = document.createElement("span");
    said.textContent = table.matches(".formula") ? "→ more of the formula" : "→ more columns";
    said.onclick = () => table.scrollBy({ left: 0.8 * table.clientWidth, behavior: "smooth" });
    const cue = document.createElement("div");
    cue.className = "more-columns";
    cue.setAttribute("aria-hidden", "true");
    cue.append(said);
    table.before(cue);
    const look = () => {
      cue.hidden = table.scrollLeft + table.clientWidth > table.scrollWidth - 4;
    };
    table.addEventListener("scroll", look, { passive: true });
    new ResizeObserver(look).observe(table);
    look();
  };
  const start = () => {
    document.querySelectorAll(".table-wrap, .pst-scrollable-table-container, .formula").forEach(watch);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
