// What an address leads to may be folded: the row of a number, a section. It opens for it.
(() => {
  "use strict";
  const show = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const own = target?.querySelector(":scope > details.folded"); // of a section, itself
    let folded = own ?? target?.closest("details:not(.option)");
    if (!folded) return;
    for (; folded; folded = folded.parentElement.closest("details")) folded.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", show);
  // Pressed again, the address stays the same.
  addEventListener("click", ({ target }) => {
    if (target.closest?.("a.number, .page-toc a")?.hash === location.hash) show();
  });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", show);
  else show();
})();
