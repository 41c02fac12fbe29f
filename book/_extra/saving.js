// A chart as a file that can travel: drawn anew at the width of a journal's column or of a slide,
// with what the page says around it, in plain colours on white and in one font.
//
// Over the drawing stand its title and of whom it is, under it how to read it and its source. This
// script, the font and what writes a PDF are loaded once somebody saves a chart.
(() => {
  "use strict";
  const INCH = 25.4; // mm
  const SMALLEST = 6; // points that a journal asks of a sign
  const HIGHEST = 240; // millimetres that a journal has for a figure and its legend
  const COLUMN = 336; // pixels: its smallest sign, of 8 of them, has 6 points
  // `drawn` pixels are as wide as `mm`; `sizes` are of title, words over and under the drawing, and
  // source, in these pixels.
  const FORMATS = {
    column: { mm: 89, dpi: 300, drawn: COLUMN, margin: 8, sizes: [12, 10, 9.5, 8.5] },
    page: { mm: 183, dpi: 300, drawn: 680, margin: 10, sizes: [15, 12, 11, 10] },
    slide: {
      mm: (1920 / 144) * INCH,
      dpi: 144,
      drawn: 960,
      margin: 36,
      sizes: [24, 15, 12, 11],
      shape: 16 / 9,
    },
  };
  const INK = "#1d2528";
  const FAMILY = "Arimo, Arial, Helvetica, 'Liberation Sans', sans-serif"; // all of one width
  const UNKNOWN =
    /[^\s -~\u00a0-\u024f\u0370-\u03ff\u0400-\u045f\u1e00-\u1eff\u2010-\u203a\u2070-\u209f\u20ac\u2122\u2190-\u2195\u2206\u2211\u2212\u221a\u221e\u2248\u2260\u2264\u2265\u2500-\u2503\u25a0-\u25cf]/u;
  const NAMESPACE = "http://www.w3.org/2000/svg";

  const told = (name) => document.querySelector(`meta[name="plateau:${name}"]`)?.content ?? "";
  const element = (name, attributes, ...inside) => {
    const made = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...inside);
    return made;
  };

  const loaded = {};
  const library = (name) => (loaded[name] ??= window.plateau.load(name));
  const font = (weight) => `data:font/ttf;base64,${window.plateauFont[weight]}`;
  const withFont = async () => {
    await library("arimo.min.js");
    for (const weight of ["normal", "bold"]) {
      loaded[weight] ??= new FontFace("Arimo", `url(${font(weight)})`, { weight }).load();
      document.fonts.add(await loaded[weight]);
    }
  };

  const pen = document.createElement("canvas").getContext("2d");
  const fits = (text, width) => pen.measureText(text).width <= width;

  // --- the drawing and the words around it ------------------------------------------------------

  // The colours of the drawing become those that they are on white.
  const plain = (colour) =>
    colour.replace(/var\(--[\w-]+,\s*([^)]+)\)/, "$1").replace(/^currentColor$/i, INK);

  // A chart as SVG; a name longer than its axis ends where that ends, and so within the drawing.
  const rendered = async (chart) => {
    const { View, parse } = window.vega;
    const run = () => new View(parse(chart), { renderer: "none" }).runAsync();
    let view = await run();
    pen.font = `12px ${FAMILY}`;
    for (const axis of chart.axes ?? []) {
      const long = axis.orient === "bottom" && !fits(axis.title ?? "", view.signal("width"));
      if (long) axis.titleAnchor = "end";
    }
    if (chart.axes?.some(({ titleAnchor }) => titleAnchor)) view = await run();
    return view.toSVG();
  };

  // The drawing at a width, with what the reader has chosen; the page's own where Vega is missing.
  const drawn = async (figure, width) => {
    let text = figure.querySelector(".chart-static svg").outerHTML;
    if (window.vega) {
      const chosen = figure.querySelector(".chart-choice input")?.valueAsNumber;
      const given = figure.querySelector(".chart-spec").textContent;
      const wider = ({ value }) => ({ value: value * Math.max(1, width / COLUMN) });
      const roomy = (key, value) => {
        if (key === "titleLimit") return undefined; // that of a phone
        return key === "limit" && value.value > 0 ? wider(value) : value;
      };
      const spec = JSON.parse(given, roomy);
      spec.marks = spec.marks.filter(({ name }) => !name.startsWith("hover"));
      spec.signals = spec.signals
        .filter(({ name }) => name !== "width")
        .map((signal) => (signal.name === "choice" ? { ...signal, value: chosen } : signal));
      for (const style of Object.values(spec.config.style)) if (style.font) style.font = FAMILY;
      spec.config.axis.titleLimit = 0.8 * width;
      text = await rendered(Object.assign(spec, { width }));
    }
    text = text.replaceAll("━", "—"); // which few fonts have
    const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    for (const mark of svg.querySelectorAll("*")) {
      for (const name of ["fill", "stroke"]) {
        if (mark.hasAttribute(name)) mark.setAttribute(name, plain(mark.getAttribute(name)));
      }
      if (mark.localName === "text") mark.setAttribute("font-family", FAMILY);
    }
    return svg;
  };

  // The paragraphs over and under it, as [words, which size, weight].
  const around = (figure) => {
    const caption = figure.querySelector("figcaption").textContent.trim();
    const [title] = caption.match(/^.{16,}?[.?!](?=\s|$)/) ?? [caption]; // past "Figure 1A."
    const slider = figure.querySelector(".chart-choice input");
    const answer = figure.querySelectorAll(".chart-answers li")[slider?.value];
    const chosen = answer ? `${slider.labels[0].textContent}: ${answer.dataset.value}. ` : "";
    const address = document.querySelector('meta[property="og:url"]')?.content ?? "";
    return {
      over: [
        [title, 0, "bold"],
        [figure.dataset.said, 1],
      ],
      under: [
        [chosen + caption.slice(title.length).trim(), 2],
        [`${told("source")} ${address}`, 3],
      ],
    };
  };

  // Words as lines of at most a width; what is longer without a space is cut.
  const lines = (words, width) => {
    const made = [""];
    for (const word of words.trim().split(/\s+/)) {
      const longer = `${made.at(-1)} ${word}`.trim();
      if (fits(longer, width)) made[made.length - 1] = longer;
      else {
        if (made.at(-1)) made.push("");
        for (const sign of word) {
          if (!fits(made.at(-1) + sign, width)) made.push("");
          made[made.length - 1] += sign;
        }
      }
    }
    return made;
  };

  // Paragraphs as lines of text from `top` on, and where they end.
  const written = (paragraphs, { sizes, margin }, width, top) => {
    const texts = [];
    for (const [words, which, weight = "normal"] of paragraphs.filter(([words]) => words?.trim())) {
      const size = sizes[which];
      pen.font = `${weight} ${size}px ${FAMILY}`;
      for (const line of lines(words, width - 2 * margin)) {
        top += 1.3 * size;
        const at = { x: margin, y: top, "font-size": `${size}px`, "font-weight": weight };
        texts.push(element("text", { ...at, "font-family": FAMILY, fill: INK }, line));
      }
      top += 0.5 * size;
    }
    return { texts, end: top };
  };

  // All of it at a width in pixels: its parts, how high it is, and its smallest sign in points.
  const composed = async (figure, format, width) => {
    const { over, under } = around(figure);
    const larger = format.shape ? 1 : width / format.drawn; // words keep their size on paper
    const margin = larger * format.margin;
    const style = { margin, sizes: format.sizes.map((size) => larger * size) };
    const drawing = await drawn(figure, width - 2 * margin);
    const { width: wide, height: high } = drawing.viewBox.baseVal;
    const scale = (width - 2 * margin) / wide;
    const head = written(over, style, width, margin / 2);
    const top = head.end + margin;
    const foot = written(under, style, width, top + scale * high + margin / 2);
    const signs = [...drawing.querySelectorAll("text")];
    const sizes = signs.map((sign) => scale * parseFloat(sign.getAttribute("font-size")));
    const moved = { transform: `translate(${margin},${top}) scale(${scale})` };
    return {
      parts: [...head.texts, element("g", moved, ...drawing.children), ...foot.texts],
      width,
      height: foot.end + margin / 2,
      cut: signs.some((sign) => sign.textContent.includes("…")),
      high: ((foot.end + margin / 2) * format.mm) / width > HIGHEST,
      smallest: (Math.min(...sizes) * format.mm * 72) / (width * INCH),
    };
  };

  // The same as wide as it needs to be: to have the shape of a slide, to cut no label short, or to
  // be no higher than a sheet; but then with no sign that is too small.
  const fitted = async (figure, format) => {
    const first = await composed(figure, format, format.drawn);
    let made = first;
    while (format.shape && made.height * format.shape > made.width + 1) {
      made = await composed(figure, format, made.height * format.shape);
    }
    while (!format.shape && (made.cut || made.high)) {
      const wider = await composed(figure, format, 1.06 * made.width);
      if (wider.smallest < SMALLEST) return made.cut ? first : made;
      made = wider;
    }
    return made;
  };

  // The whole drawing with its size in millimetres.
  const standalone = async (figure, format) => {
    await withFont();
    const made = await fitted(figure, format);
    const { width } = made;
    const height = format.shape ? width / format.shape : made.height;
    const mm = { width: format.mm, height: (format.mm * height) / width };
    const words = figure.querySelector(".chart").getAttribute("aria-label");
    const svg = element(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, width: `${mm.width}mm`, height: `${mm.height}mm` },
      element("title", {}, words),
      element("rect", { width: "100%", height: "100%", fill: "#fff" }),
      element("g", { transform: `translate(0,${(height - made.height) / 2})` }, ...made.parts),
    );
    return { svg, mm, dpi: format.dpi };
  };

  // --- files ------------------------------------------------------------------------------------

  const asSvg = async ({ svg }) =>
    new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });

  // PNG (Portable Network Graphics, third edition) 11.3.4.3: how many pixels a metre has.
  const withDensity = async (png, dpi) => {
    const chunk = new DataView(new ArrayBuffer(21));
    chunk.setUint32(0, 9); // the length of what follows the name
    chunk.setUint32(4, 0x70485973); // pHYs
    for (const place of [8, 12]) chunk.setUint32(place, Math.round((1000 * dpi) / INCH));
    chunk.setUint8(16, 1); // a metre
    chunk.setUint32(17, checksum(new Uint8Array(chunk.buffer, 4, 13)));
    const header = 33; // the signature and the first chunk
    return new Blob([png.slice(0, header), chunk, png.slice(header)], { type: "image/png" });
  };

  const checksum = (bytes) => {
    let sum = ~0;
    for (const byte of bytes) {
      sum ^= byte;
      for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 && 0xedb88320);
    }
    return ~sum >>> 0;
  };

  const painted = async ({ svg, mm, dpi }) => {
    const faces = ["normal", "bold"].map(
      (weight) => `@font-face{font-family:Arimo;font-weight:${weight};src:url(${font(weight)})}`,
    );
    const copy = svg.cloneNode(true);
    copy.prepend(element("style", {}, faces.join("")));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round((mm.width / INCH) * dpi);
    canvas.height = Math.round((mm.height / INCH) * dpi);
    copy.setAttribute("width", canvas.width); // or a browser might paint it small and stretch it
    copy.setAttribute("height", canvas.height);
    const image = new Image();
    const text = new XMLSerializer().serializeToString(copy);
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  };

  const asPng = async (made) => {
    const canvas = await painted(made);
    const png = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    return withDensity(png, made.dpi);
  };

  // Lines and letters; a picture where the font lacks a sign of a label.
  const asPdf = async (made) => {
    await library("jspdf.umd.min.js");
    await library("svg2pdf.umd.min.js");
    const { width, height } = made.mm;
    const pdf = new window.jspdf.jsPDF({
      unit: "mm",
      format: [width, height],
      orientation: width > height ? "landscape" : "portrait",
      compress: true,
      putOnlyUsedFonts: true,
    });
    if (UNKNOWN.test(made.svg.textContent)) {
      const canvas = await painted({ ...made, dpi: 600 });
      pdf.addImage(canvas.toDataURL("image/jpeg", 0.95), "JPEG", 0, 0, width, height);
    } else {
      for (const weight of ["normal", "bold"]) {
        pdf.addFileToVFS(`arimo-${weight}.ttf`, window.plateauFont[weight]);
        pdf.addFont(`arimo-${weight}.ttf`, "Arimo", weight);
      }
      await pdf.svg(made.svg, { x: 0, y: 0, width, height });
    }
    return pdf.output("blob");
  };

  const KINDS = { svg: asSvg, png: asPng, pdf: asPdf };

  // `plateau.save(figure, format, kind)` hands the file to the reader.
  window.plateau.save = async (figure, format, kind) => {
    const blob = await KINDS[kind](await standalone(figure, FORMATS[format]));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${told("book")}-${figure.id}-${format}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
})();
