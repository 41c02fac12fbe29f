// Which of two views is shown, as the curves by group or of all patients.
//
// All cells of both are on the page; the buttons hide those of the other view. What a reader looks
// for, or follows a link to, comes into sight with its view.
(() => {
  "use strict";
  const start = (control) => {
    const buttons = [...control.querySelectorAll("button")];
    const cellsOf = ({ dataset }) => [...document.querySelectorAll(`.cell.tag_${dataset.view}`)];
    const show = (chosen) => {
      for (const button of buttons) {
        const pressed = button === chosen;
        button.setAttribute("aria-pressed", String(pressed));
        for (const cell of cellsOf(button)) {
          if (pressed) cell.removeAttribute("hidden");
          else cell.setAttribute("hidden", "until-found");
        }
      }
      window.dispatchEvent(new Event("resize")); // a chart that was hidden had no width
    };
    const reveal = (place) => {
      const cell = place?.closest(".cell[hidden]");
      if (!cell) return;
      show(buttons.find((button) => cellsOf(button).includes(cell)));
      place.scrollIntoView();
    };
    const linked = () => document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (const button of buttons) {
      button.addEventListener("click", () => show(button));
      for (const cell of cellsOf(button)) {
        cell.addEventListener("beforematch", () => show(button));
      }
    }
    window.addEventListener("hashchange", () => reveal(linked()));
    control.hidden = false;
    show(buttons[0]);
    reveal(linked());
  };
  // The tabs of a worked piece need no script; a chart behind them does, to get its width.
  document.addEventListener("change", ({ target }) => {
    if (target.closest(".worked-tabs")) window.dispatchEvent(new Event("resize"));
  });
  const startAll = () => document.querySelectorAll(".chart-views").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
