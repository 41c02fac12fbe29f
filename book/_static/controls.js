// What stands under a chart: what the reader may move, its curves' names to press, and its drawing
// to save.
//
// Every answer is on the page; the slider shows one of them and tells the chart its number.
// A name, pressed, lets the other curves step back; pressed again it brings them back. A drawing is
// saved as the page's still one, with plain colours on white, so that it looks the same anywhere.
(() => {
  "use strict";
  const ink = "#1d2528";
  const svgNamespace = "http://www.w3.org/2000/svg";

  // A colour that follows the page becomes the one it has on white.
  const plain = (colour) =>
    colour.replace(/var\(--[\w-]+,\s*([^)]+)\)/, "$1").replace(/^currentColor$/i, ink);

  const standalone = (drawing, words) => {
    const copy = drawing.cloneNode(true);
    const { width, height } = drawing.viewBox.baseVal;
    copy.setAttribute("xmlns", svgNamespace);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    for (const mark of copy.querySelectorAll("*")) {
      for (const name of ["fill", "stroke"]) {
        if (mark.hasAttribute(name)) mark.setAttribute(name, plain(mark.getAttribute(name)));
      }
    }
    const paper = document.createElementNS(svgNamespace, "rect");
    const paint = { width: "100%", height: "100%", fill: "#fff" };
    for (const [name, value] of Object.entries(paint)) paper.setAttribute(name, value);
    const title = document.createElementNS(svgNamespace, "title");
    title.textContent = words;
    copy.prepend(title, paper);
    return { text: new XMLSerializer().serializeToString(copy), width, height };
  };

  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  const asSvg = async ({ text }) => new Blob([text], { type: "image/svg+xml" });

  const asPng = async ({ text, width, height }) => {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };

  const formats = { svg: asSvg, png: asPng };

  const startSaving = (figure) => {
    // Kept here: a live chart takes the place of the drawing.
    const drawing = figure.querySelector(".chart-static svg");
    const words = figure.querySelector(".chart").getAttribute("aria-label");
    for (const button of figure.querySelectorAll("[data-save]")) {
      const format = button.dataset.save;
      button.addEventListener("click", () =>
        formats[format](standalone(drawing, words))
          .then((blob) => save(blob, `${figure.id}.${format}`))
          .catch((error) => console.error("The drawing is not saved:", error)),
      );
      button.hidden = false;
    }
  };

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

  const start = () => {
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
