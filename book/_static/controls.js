// What stands under a chart: what the reader may move, its curves' names to press, and its drawing
// to save.
//
// Every answer is on the page; the slider shows one of them and tells the chart its number.
// A name, pressed, lets the other curves step back; pressed again it brings them back. A drawing is
// saved as the page's still one, with plain colours on white, so that it looks the same anywhere,
// and with what the page says around it: title, of whom it is, its numbers, how to read it, source.
(() => {
  "use strict";
  const ink = "#1d2528";
  const MARGIN = 12;
  const svgNamespace = "http://www.w3.org/2000/svg";

  // A colour that follows the page becomes the one it has on white.
  const plain = (colour) =>
    colour.replace(/var\(--[\w-]+,\s*([^)]+)\)/, "$1").replace(/^currentColor$/i, ink);

  const told = (name) => document.querySelector(`meta[name="plateau:${name}"]`)?.content ?? "";
  const element = (name, attributes, text = "") => {
    const made = document.createElementNS(svgNamespace, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  const pen = document.createElement("canvas").getContext("2d");
  const fonts = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";

  // Paragraphs { words, size, weight } as lines of text from `top` on, and where they end.
  const written = (paragraphs, width, top) => {
    const lines = [];
    for (const { words, size, weight = "normal" } of paragraphs.filter(({ words }) => words)) {
      pen.font = `${weight} ${size}px ${fonts}`;
      let line = "";
      const put = () => {
        top += 1.35 * size;
        const at = { x: MARGIN, y: top, "font-size": size, "font-weight": weight };
        lines.push(element("text", { ...at, "font-family": fonts, fill: ink }, line));
      };
      for (const word of words.split(/\s+/)) {
        const longer = line ? `${line} ${word}` : word;
        if (line && pen.measureText(longer).width > width - 2 * MARGIN) {
          put();
          line = word;
        } else line = longer;
      }
      put();
      top += 0.4 * size;
    }
    return { lines, end: top };
  };

  // What stands over and under the drawing of a figure that leaves its page.
  const around = (figure) => {
    const caption = figure.querySelector("figcaption").textContent.trim();
    const [title] = caption.match(/^.{16,}?[.?!](?=\s|$)/) ?? [caption]; // past "Figure 1A."
    const slider = figure.querySelector(".chart-choice input");
    const answer = figure.querySelectorAll(".chart-answers li")[slider?.defaultValue];
    const chosen = answer && `${slider.labels[0].textContent}: ${answer.dataset.value}. `;
    return {
      over: [
        { words: title, size: 15, weight: "bold" },
        { words: figure.dataset.said, size: 12 },
      ],
      under: [
        { words: `${chosen ?? ""}${caption.slice(title.length).trim()}`, size: 12 },
        { words: told("source"), size: 11 },
      ],
    };
  };

  const standalone = (drawing, figure) => {
    const copy = drawing.cloneNode(true);
    const { width, height: drawn } = drawing.viewBox.baseVal;
    const { over, under } = around(figure);
    const head = written(over, width, MARGIN);
    const foot = written(under, width, drawn);
    const top = -head.end - MARGIN;
    for (const line of head.lines) line.setAttribute("y", Number(line.getAttribute("y")) + top);
    const height = foot.end + MARGIN - top;
    copy.setAttribute("xmlns", svgNamespace);
    copy.setAttribute("viewBox", `0 ${top} ${width} ${height}`);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    for (const mark of copy.querySelectorAll("*")) {
      for (const name of ["fill", "stroke"]) {
        if (mark.hasAttribute(name)) mark.setAttribute(name, plain(mark.getAttribute(name)));
      }
    }
    const words = figure.querySelector(".chart").getAttribute("aria-label");
    copy.prepend(
      element("title", {}, words),
      element("rect", { y: top, width: "100%", height: "100%", fill: "#fff" }),
      ...head.lines,
      ...foot.lines,
    );
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
    canvas.width = Math.round(2 * width);
    canvas.height = Math.round(2 * height);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  };

  const formats = { svg: asSvg, png: asPng };

  const startSaving = (figure) => {
    // Kept here: a live chart takes the place of the drawing.
    const drawing = figure.querySelector(".chart-static svg");
    for (const button of figure.querySelectorAll("[data-save]")) {
      const format = button.dataset.save;
      button.addEventListener("click", () =>
        formats[format](standalone(drawing, figure))
          .then((blob) => save(blob, `${told("book")}-${figure.id}.${format}`))
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
    // A file that leaves the page says of which book it is.
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
