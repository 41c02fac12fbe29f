// Replaces the static drawings of a page's charts by live ones.
//
// Each .chart holds a drawing that needs no script and its Vega specification as JSON. Vega
// comes from the site itself and only to pages that have a chart. Where anything fails the
// drawing stays, and the console says why.
(() => {
  "use strict";
  const vendor = new URL("../vendor/", document.currentScript.src);
  const libraries = ["vega.min.js", "vega-tooltip.min.js"];

  const load = (name) =>
    new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL(name, vendor).href;
      script.onload = resolve;
      script.onerror = () => reject(new Error(`cannot load ${script.src}`));
      document.head.append(script);
    });
  window.plateau = { load }; // what saves a chart has its libraries there too

  // The live chart is drawn unseen over the drawing, at its final width, and then takes its place.
  const draw = async (chart) => {
    const drawing = chart.querySelector(".chart-static");
    const live = document.createElement("div");
    live.className = "chart-live chart-waiting";
    live.setAttribute("aria-hidden", "true"); // the chart's own label says what it shows
    chart.append(live);
    let view;
    try {
      const { View, parse } = window.vega;
      const told = new window.vegaTooltip.Handler({ disableDefaultStyle: true });
      const specification = JSON.parse(chart.querySelector(".chart-spec").textContent);
      const options = { renderer: "svg", container: live, hover: true, tooltip: told.call };
      view = await new View(parse(specification), options).runAsync();
    } catch (error) {
      live.remove();
      throw error;
    }
    drawing.hidden = true; // paper has its own width, so it keeps the drawing
    live.classList.remove("chart-waiting");
    chart.dataset.drawn = "true";
    chart.dispatchEvent(new CustomEvent("chart-drawn", { bubbles: true, detail: view }));
  };

  const start = async () => {
    const charts = document.querySelectorAll(".chart");
    if (!charts.length) return;
    try {
      for (const name of libraries) await load(name);
    } catch (error) {
      console.error("Charts stay still:", error);
      return;
    }
    await document.fonts.ready; // in another font a label would be measured too narrow
    for (const chart of charts) {
      draw(chart).catch((error) => console.error("A chart stays still:", error));
    }
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
