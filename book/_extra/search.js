// The search of the book: MiniSearch over the sections of its pages (searchindex.js), with the words
// of search.yaml. It shows what it finds as one types.
(() => {
  "use strict";
  const { examples, idle, pages, same, spellings } = SEARCHED;

  // --- Words, as they are compared: without accents, in one spelling, their stem ----------------
  const stemmer = new Stemmer();
  const rules = spellings.map(([from, to]) => [new RegExp(from, "g"), to]);
  const wordsOf = (text) => text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  const compared = (word) => {
    const plain = word.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
    return stemmer.stemWord(rules.reduce((term, [from, to]) => term.replace(from, to), plain));
  };
  const termsOf = (text) => wordsOf(text).map(compared);

  // --- The index: of sections, of the rows of a page's own table, and of other names of a page -----
  const known = new Set(); // the words of the book
  const index = new MiniSearch({
    fields: ["about", "title", "heading", "text"],
    tokenize: wordsOf,
    processTerm: (word) => {
      const term = compared(word);
      known.add(term);
      return term;
    },
  });
  const parts = ({ caption, rows, ...section }) => [
    section,
    ...rows.map((heading) => ({ id: section.id, heading, caption, text: "" })),
  ];
  const documents = pages.flatMap((page) => [
    ...page.about.map((about) => ({ page, section: page.sections[0], about })), // leads to its top
    ...page.sections.flatMap(parts).map((section) => ({ page, section, ...section })),
  ]);
  index.addAll(documents.map((found, id) => ({ ...found, title: found.page.title, id })));
  const OWN = new Set(["heading", "text"]); // of a section, not of its page

  // --- What is asked ----------------------------------------------------------------------------
  const MANY = 32; // words of a search, and its ways to say the same
  const asking = new Set(idle.split(" "));
  const groups = same.map((names) => names.map(termsOf));
  const named = new Set(groups.flat(2)); // the words of these names

  // A word that the book does not know may be two in one: relapsefree.
  const apart = (word) => {
    const whole = compared(word);
    const one = known.has(whole) || named.has(whole);
    for (let at = 3; !one && at <= word.length - 3; at++) {
      const two = [word.slice(0, at), word.slice(at)].map(compared);
      if (two.every((part) => known.has(part))) return two;
    }
    return [whole];
  };

  // The words that are looked for, and those words with each other name of a thing in its place.
  const asked = (text) => {
    const words = wordsOf(text).slice(0, MANY);
    const telling = words.filter((word) => !asking.has(word.toLowerCase()));
    const terms = (telling.length ? telling : words).flatMap(apart);
    const begins = (at, name) => name.every((term, i) => terms[at + i] === term);
    let ways = [[]];
    for (let at = 0; at < terms.length; ) {
      const matches = groups.map((group) => [group.find((name) => begins(at, name)) ?? [], group]);
      const length = Math.max(1, ...matches.map(([name]) => name.length));
      const names = [terms.slice(at, at + length)];
      for (const [name, group] of matches) if (name.length === length) names.push(...group);
      ways = ways.flatMap((way) => names.map((name) => [...way, ...name])).slice(0, MANY);
      at += length;
    }
    return ways.filter((way) => way.length);
  };

  const look = (terms, combineWith) => {
    const ends = (term, i) => i === terms.length - 1 && term.length > 3;
    return index.search(
      { combineWith, queries: terms },
      {
        boost: { about: 5, heading: 3, title: 5 },
        fuzzy: (term) => !known.has(term) && term.length > 3 && 0.25,
        // What is typed last may be unfinished, even where it is a word already.
        prefix: (term, i) => term.length > 1 && (!known.has(term) || ends(term, i)),
        processTerm: (term) => term, // they are as they are compared
        tokenize: (term) => [term],
      },
    );
  };

  // The documents found, by the name that finds them best: with their score, the words found, how
  // many of them stand in the section itself, and the words of every name, to be marked.
  const gathered = (ways, combineWith) => {
    const best = new Map();
    for (const way of ways) {
      for (const { id, match, score, terms } of look(way, combineWith)) {
        const before = best.get(id) ?? { score: 0, own: 0, marked: [] };
        const inside = Object.values(match).filter((fields) => fields.some((name) => OWN.has(name)));
        // A longer name counts no more: MiniSearch adds up the words, and multiplies by their number.
        const mean = score / way.length ** 2;
        const now = { score: mean, own: inside.length / way.length, terms };
        const better = mean > before.score ? now : before;
        best.set(id, { ...better, marked: [...before.marked, ...terms] });
      }
    }
    return [...best].sort(([, a], [, b]) => b.score - a.score);
  };

  // The pages, the best first, and whether they have all words or only some; each with its sections,
  // first those that have the words themselves, and whether it is the page's name that is found.
  const find = (text) => {
    const ways = asked(text);
    const whole = gathered(ways, "AND");
    const words = ways.map((way) => way.filter((term) => term.length > 1));
    const found = new Map();
    for (const [id, { marked, own, terms }] of whole.length ? whole : gathered(words, "OR")) {
      const { page, section } = documents[id];
      const named = section.id === page.sections[0].id;
      const hit = found.get(page) ?? { page, named, sections: [] };
      hit.sections.push({ ...section, own, terms: new Set(terms), marked: new Set(marked) });
      found.set(page, hit);
    }
    const once = ({ id }, i, all) => all.findIndex((other) => other.id === id) === i;
    for (const hit of found.values()) {
      hit.sections = hit.sections.sort((a, b) => b.own - a.own).filter(once);
    }
    return { all: whole.length > 0, found: [...found.values()] };
  };
  globalThis.plateauSearch = { find }; // for the tests

  // --- What is shown ----------------------------------------------------------------------------
  const WHOLE = 8; // pages shown with an excerpt
  const LONG = 230; // letters of an excerpt

  const made = (name, traits, ...children) => {
    const tag = Object.assign(document.createElement(name), traits);
    tag.append(...children);
    return tag;
  };
  const list = (name, traits, items) =>
    made(name, traits, ...items.map((item) => made("li", {}, item)));

  // A text in pieces, of which those that were looked for are marked.
  const marked = (text, terms) =>
    text
      .split(/([\p{L}\p{N}\p{M}]+)/u)
      .map((piece, i) => (i % 2 && terms.has(compared(piece)) ? made("mark", {}, piece) : piece));

  const leading = (page, section, ...children) => {
    const place = section === page.sections[0].id ? "" : `#${section}`;
    return made("a", { href: `${page.name}.html${place}` }, ...children);
  };

  // A line of some length, around its first word that was looked for.
  const cut = (line, terms) => {
    if (line.length <= LONG) return line;
    const first = wordsOf(line).find((word) => terms.has(compared(word)));
    const before = Math.max(0, line.indexOf(first) - LONG / 3);
    const from = before && line.indexOf(" ", before) + 1;
    const rest = line.slice(from);
    const to = rest.length > LONG ? rest.lastIndexOf(" ", LONG) : rest.length;
    return `${from ? "… " : ""}${rest.slice(0, to)}${to < rest.length ? " …" : ""}`;
  };

  // The lines of a section from that which has most of the words; one that explains abbreviations
  // is the last resort.
  const EXPLAINS = /^(?:[A-Z]{2}[\w/]*, [^,;.]+[;.] ?)+$/;
  const excerpt = ({ caption, marked: words, terms, text }) => {
    const lines = (caption || text).split("\n");
    const has = lines.map((line) => {
      const found = new Set(termsOf(line).filter((term) => terms.has(term))).size;
      return EXPLAINS.test(line) ? found / 100 : found;
    });
    let at = has.indexOf(Math.max(...has));
    let said = lines[at];
    while (said.length < LONG / 2 && ++at < lines.length) {
      said += (/[.?!:]$/.test(said) ? " " : " · ") + lines[at];
    }
    return marked(cut(said, words), words);
  };

  // A page: its title, the section where the words stand, what it says there, and other sections.
  const result = ({ page, named, sections: [said, ...others] }) => {
    const top = page.sections[0].id;
    const where = said.id === top ? "" : made("span", { className: "section" }, said.heading);
    const title = named
      ? [leading(page, top, page.title), where && leading(page, said.id, where)]
      : [leading(page, said.id, page.title, where)];
    const more = others.filter(({ id }) => id !== top).slice(0, 3);
    const links = more.map(({ heading, id }) => leading(page, id, heading));
    return made(
      "li",
      {},
      made("h2", {}, ...title),
      made("p", {}, ...excerpt(said)),
      links.length ? list("ul", { ariaLabel: `Also in ${page.title}` }, links) : "",
    );
  };

  // Written as the site's own scripts write an address: they set it anew on every page.
  const address = (words) => `?${new URLSearchParams({ q: words })}`;

  // What one can do where nothing is asked or found.
  const advice = () => {
    const tries = examples.filter((words) => find(words).all);
    const links = tries.map((words) => made("a", { href: address(words) }, words));
    const glossary = pages.find(({ name }) => name === "glossary");
    const help = [made("p", {}, "For example:"), list("ul", { className: "examples" }, links)];
    if (!glossary) return help;
    const link = leading(glossary, glossary.sections[0].id, "glossary");
    return [...help, made("p", {}, "The ", link, " explains the words that this book uses.")];
  };

  const told = (text, { all, found: { length } }) => {
    if (!text) return "Type a word, a name or an abbreviation, in either spelling.";
    if (!length) return `Nothing in this book matches “${text}”. Try fewer words, or others.`;
    const many = length === 1 ? "1 page" : `${length} pages`;
    if (all) return `${many}, the nearest first`;
    return `Not all of these words stand together. Pages with some: ${length}`;
  };

  const form = document.querySelector(".plateau-search form");
  const results = document.getElementById("search-results");
  const status = document.getElementById("search-said");

  const show = () => {
    const text = form.q.value.trim();
    const hits = find(text);
    const near = hits.found.slice(0, WHOLE).map(result);
    const far = hits.found.slice(WHOLE);
    const links = far.map(({ page, sections: [best] }) => leading(page, best.id, page.title));
    status.textContent = told(text, hits);
    results.replaceChildren(...(near.length ? [made("ol", {}, ...near)] : advice()));
    if (!far.length) return;
    results.append(made("h2", {}, "Also on these pages"));
    results.append(list("ul", { className: "other-pages" }, links));
  };

  form.q.value = new URLSearchParams(location.search).get("q") ?? "";
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", show);
  // The way back from a page leads to what was asked last.
  form.addEventListener("change", () => {
    history.replaceState(null, "", address(form.q.value));
  });
  show();
  if (!form.q.value) form.q.focus();
})();
