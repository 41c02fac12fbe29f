// A number of the text leads to its row of the results: the folded table opens for it.
(() => {
  "use strict";
  const show = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = row?.closest("details.numbers");
    if (!folded) return;
    folded.open = true;
    row.scrollIntoView();
  };
  addEventListener("hashchange", show);
  // Pressed again, the address stays the same.
  addEventListener("click", ({ target }) => {
    if (target.closest?.("a.number")?.hash === location.hash) show();
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
})();
