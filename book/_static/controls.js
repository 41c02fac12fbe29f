// What stands under a chart: what the reader may move, its curves' names to press, its files.
//
// Every answer is on the page; the slider shows one of them and tells the chart its number.
// A name, pressed, lets the other curves step back; pressed again it brings them back.
(() => {
  "use strict";
  const told = (name) => document.querySelector(`meta[name="plateau:${name}"]`)?.content ?? "";

  const startNames = (figure, view) => {
    const names = figure.querySelector(".chart-curves");
    if (!names) return;
    const buttons = [...names.querySelectorAll("button")];
    const press = (curve) => {
      const pressed = view.signal("focus") === curve ? "" : curve;
      view.signal("focus", pressed).run();
      for (const button of buttons) {
        button.setAttribute("aria-pressed", String(button.dataset.curve === pressed));
      }
    };
    for (const button of buttons) {
      button.addEventListener("click", () => press(button.dataset.curve));
    }
    // The names within the drawing do the same for a pointer. They lie under the marks that catch
    // the hover, so the place of the click counts.
    figure.querySelector(".chart-live").addEventListener("click", ({ clientX, clientY }) => {
      for (const text of figure.querySelectorAll(".chart-live text")) {
        const { left, right, top, bottom } = text.getBoundingClientRect();
        const inside = left <= clientX && clientX <= right && top <= clientY && clientY <= bottom;
        const named = (button) => text.textContent === `━ ${button.dataset.curve}`;
        if (inside && buttons.some(named)) press(buttons.find(named).dataset.curve);
      }
    });
    names.hidden = false;
  };

  const startChoice = (figure, view) => {
    const choice = figure.querySelector(".chart-choice");
    if (!choice) return;
    const slider = choice.querySelector("input");
    const answers = figure.querySelectorAll(".chart-answers li");
    const choose = () => {
      const chosen = answers[slider.valueAsNumber];
      choice.querySelector("output").textContent = chosen.dataset.value;
      slider.setAttribute("aria-valuetext", chosen.dataset.value);
      figure.querySelector(".chart-answer").innerHTML = chosen.innerHTML;
      view.signal("choice", slider.valueAsNumber).run();
    };
    slider.addEventListener("input", choose);
    choice.hidden = false;
    choose(); // a page that is gone back to keeps its slider where it was
  };

  // A drawing is saved by a script that no page needs before.
  const startSaving = (figure) => {
    let script;
    for (const button of figure.querySelectorAll("[data-save]")) {
      const { format, save } = button.dataset;
      button.addEventListener("click", async () => {
        try {
          await (script ??= window.plateau.load("../saving.js"));
          await window.plateau.save(figure, format, save);
        } catch (error) {
          console.error("The drawing is not saved:", error);
        }
      });
    }
    for (const menu of figure.querySelectorAll(".chart-files details")) menu.hidden = false;
  };

  const start = () => {
    // A file that leaves the page says of which book it is, and a table in its link whence it is.
    for (const link of document.querySelectorAll('.table-files a[href^="data:"]')) {
      const table = document.getElementById(link.download.replace(/\.csv$/, ""));
      const words = `# ${told("source")}`.replaceAll('"', '""');
      const row = `"${words}"${",".repeat(table.rows[0].cells.length - 1)}\n`;
      link.href += encodeURIComponent(row);
    }
    for (const link of document.querySelectorAll(":is(.chart-files, .table-files) a[download]")) {
      link.download = `${told("book")}-${link.download || link.pathname.split("/").pop()}`;
    }
    for (const figure of document.querySelectorAll(".chart-figure")) {
      startSaving(figure);
      figure.addEventListener("chart-drawn", (event) => {
        startNames(figure, event.detail);
        startChoice(figure, event.detail);
      });
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
