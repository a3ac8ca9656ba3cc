/* What the tests ask of a report's page. One object, called by check_report.py. */
({
  text(node) { return node.textContent.replace(/\u202f/g, " ").replace(/\s+/g, " ").trim(); },

  /* Tables as {caption: [{heading: text, ...}]}; numbers are the values of their data elements. */
  tables() {
    const found = {};
    for (const table of document.querySelectorAll("table")) {
      const headings = [...table.tHead.rows[0].cells].map((cell) => this.text(cell));
      found[this.text(table.caption)] = [...table.tBodies[0].rows].map((row) =>
        Object.fromEntries([...row.cells].map((cell, i) => {
          const data = cell.querySelector("data");
          return [headings[i], data ? Number(data.value) : this.text(cell)];
        })));
    }
    return found;
  },

  figures() {
    return Object.fromEntries([...document.querySelectorAll(".figures > div")].map((div) =>
      [this.text(div.querySelector("dt")), Number(div.querySelector("data").value)]));
  },

  verdict() {
    return {
      headline: this.text(document.querySelector("h1")),
      sentences: [...document.querySelectorAll(".sentences p")].map((p) => this.text(p)),
      status: document.querySelector(".verdict").className.split(" ")[1],
      word: this.text(document.querySelector(".kicker .status")),
    };
  },

  /* Elements that stick out of the page, unless they stand in a frame that scrolls. */
  overflowing() {
    const width = document.documentElement.clientWidth, found = [];
    if (document.documentElement.scrollWidth > width) found.push(`the page: ${document.documentElement.scrollWidth}`);
    for (const element of document.querySelectorAll("body *")) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && box.right > width + 0.5 && box.left > -1000 && !element.closest(".scroll > *"))
        found.push(`${element.tagName}.${element.getAttribute("class")} ends at ${box.right}`);
    }
    return found;
  },

  /* Text whose contrast with what is behind it is under 4.5 (3 where it is large): WCAG 2, AA. */
  faint() {
    const parse = (color) => {
      const parts = color.match(/[\d.]+/g).map(Number);
      return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
    };
    const channel = (value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    const light = (c) => 0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const color = parse(getComputedStyle(at).backgroundColor);
        if (color.a > 0.99) return color;
      }
      return { r: 255, g: 255, b: 255, a: 1 };
    };
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement, style = getComputedStyle(element);
      if (!node.data.trim() || element.closest("svg") || !element.getClientRects().length) continue;
      const [a, b] = [light(parse(style.color)), light(behind(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} "${node.data.trim().slice(0, 40)}"`);
    }
    return found;
  },

  background() { return getComputedStyle(document.body).backgroundColor; },

  /* What a keyboard and a screen reader need. */
  barriers() {
    const found = [], all = (selector) => [...document.querySelectorAll(selector)];
    const say = (condition, text) => condition || found.push(text);
    say(document.documentElement.lang === "en", "no lang");
    say(document.title.length > 5, "no title");
    say(all("h1").length === 1, "not one h1");
    let level = 0;
    for (const heading of all("h1, h2, h3, h4")) {
      const next = Number(heading.tagName[1]);
      say(next <= level + 1, `${heading.tagName} "${this.text(heading)}" skips a level`);
      level = next;
    }
    for (const landmark of ["header", "main", "nav", "footer"]) say(all(landmark).length === 1, `not one ${landmark}`);
    say(all("nav")[0].hasAttribute("aria-label"), "nav has no name");
    for (const section of all("section"))
      say(document.getElementById(section.getAttribute("aria-labelledby")), "a section has no name");
    for (const table of all("table")) {
      say(table.caption && this.text(table.caption), "a table has no caption");
      for (const cell of table.querySelectorAll("th")) say(cell.scope, `a heading without scope: ${this.text(cell)}`);
      for (const row of table.tBodies[0].rows) say(row.cells[0].tagName === "TH", "a row has no heading");
    }
    for (const svg of all("svg")) {
      if (svg.getAttribute("aria-hidden") === "true") continue;
      say(svg.getAttribute("role") === "img", "an svg is no img");
      for (const id of (svg.getAttribute("aria-labelledby") || "none").split(" "))
        say(document.getElementById(id)?.textContent, `an svg lacks ${id}`);
    }
    for (const link of all("a"))
      say(document.getElementById(link.getAttribute("href").slice(1)), `${link.getAttribute("href")} leads nowhere`);
    for (const details of all("details")) say(details.firstElementChild.tagName === "SUMMARY", "no summary");
    const ids = all("[id]").map((element) => element.id);
    say(new Set(ids).size === ids.length, "an id stands twice");
    say(document.querySelector("a").className === "skip", "the skip link is not the first");
    return found;
  },

  /* Elements that only data could have brought. */
  strangers() {
    const own = new Set(["on"]), found = [];
    for (const element of document.querySelectorAll("*")) {
      if (["SCRIPT", "IMG", "IFRAME", "OBJECT", "EMBED", "LINK", "FORM", "INPUT", "I", "BASE"].includes(element.tagName))
        found.push(element.tagName);
      for (const attribute of element.attributes)
        if (attribute.name.startsWith("on") && !own.has(attribute.name)) found.push(attribute.name);
    }
    return found;
  },

  hidden(selector) { return getComputedStyle(document.querySelector(selector)).display === "none"; },
})
