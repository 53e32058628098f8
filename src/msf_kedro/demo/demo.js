// The page's own script: what the user picks and writes goes to /answer, and its reply into the page.
(() => {
  "use strict";
  const PAUSE = 250; // milliseconds without a key, after which the words are taken
  const PATIENCE = 1500; // after which a waiting user is told why
  const about = JSON.parse(document.getElementById("about").textContent);
  // What a class of one's own is asked for: one description for both sentences, or what else is read.
  const OWN = Object.keys(about.kinds).filter(kind => kind === "verb" || kind === "noun");
  if (about.kinds.AD || about.kinds.MD) OWN.unshift("description");
  const $ = id => document.getElementById(id);
  const make = (tag, values, ...children) => {
    const element = Object.assign(document.createElement(tag), values);
    element.append(...children);
    return element;
  };
  const percent = share => (100 * share).toFixed(share < 0.0995 ? 1 : 0) + " %";

  async function reply(address, options) { // of the server; what it refuses is thrown as a sentence
    let response;
    try {
      response = await fetch(address, options);
    } catch {
      throw new Error("the server does not answer; start it again with `make demo`");
    }
    if (response.ok) return response;
    const told = await response.json().catch(() => ({}));
    throw new Error(told.error || `the server answers ${response.status}`);
  }

  function say(place, sentence) { // "" takes it away
    $(place).hidden = !sentence;
    $(place).textContent = sentence;
  }

  // --- classes known from words ---

  class InWords {
    constructor(label, texts, own) {
      this.own = own;
      this.summary = make("span", { className: "name" });
      this.share = make("span", { className: "share" });
      this.root = make("details", { open: own }, make("summary", {}, this.summary, this.share));
      this.fields = {};
      const fields = make("div", { className: "fields" });
      const field = (kind, title, input) => {
        this.fields[kind] = input;
        input.oninput = () => { this.name(); soon(); };
        fields.append(make("label", {}, title, input));
      };
      if (own) field("label", "Name", make("input", { type: "text", maxLength: 80, value: label }));
      else this.label = label;
      for (const [kind, text] of Object.entries(texts)) {
        const short = kind === "verb" || kind === "noun";
        const input = short ? make("input", { type: "text" }) : make("textarea", { rows: 4 });
        field(kind, about.kinds[kind] || "What is done, and how the body moves", Object.assign(input, { value: text, maxLength: 2000 }));
      }
      if (own) fields.append(make("button", { type: "button", textContent: "Remove", onclick: () => this.remove() }));
      else {
        this.out = make("input", { type: "checkbox", onchange: () => {
          this.root.classList.toggle("out", this.out.checked);
          soon();
        } });
        fields.append(make("label", { className: "tick" }, this.out, "leave it out"));
      }
      this.root.append(fields);
      this.name();
    }

    name() {
      this.summary.textContent = this.given || "a class of your own";
    }

    get given() {
      return this.own ? this.fields.label.value.trim() : this.label;
    }

    get asked() { // as the server takes it; null while it is left out or not yet described
      if (this.out?.checked) return null;
      const texts = Object.fromEntries(Object.entries(this.fields)
        .filter(([kind]) => kind !== "label").map(([kind, input]) => [kind, input.value]));
      const bare = OWN.length && !Object.values(texts).some(text => text.trim());
      if (this.own && (bare || !this.given)) return null;
      return { label: this.given, texts };
    }

    remove() {
      classes = classes.filter(one => one !== this);
      this.root.remove();
      $("add").focus();
      soon();
    }
  }

  let classes = [];

  function add(label, texts, own) {
    const one = new InWords(label, texts, own);
    classes.push(one);
    $("classes").append(one.root);
    return one;
  }

  function reset() {
    $("classes").replaceChildren();
    classes = [];
    about.classes.forEach(({ label, texts }) => add(label, texts, false));
    open();
    soon();
  }

  function open() { // the words of the class that the clip shows
    const label = about.clips.find(clip => clip.key === $("picked").value)?.label;
    classes.filter(one => one.given === label).forEach(one => { one.root.open = true; });
  }

  // --- clips ---

  function offer({ key, name, group, label }) {
    let place = [...$("picked").children].find(one => one.label === group);
    if (!place) $("picked").append(place = make("optgroup", { label: group }));
    place.append(new Option(label ? `${label} · ${name}` : name, key));
  }

  let moving = null;

  async function pick() {
    const key = $("picked").value;
    if (!key) return;
    say("refused", "");
    open();
    ask();
    try {
      const figure = await (await reply(`/clips/${key}`)).text();
      if (key !== $("picked").value) return; // another one has been picked by now
      moving?.stop();
      $("figure").innerHTML = figure; // the server has escaped all names in it
      moving = moveSkeletons($("figure").firstElementChild);
    } catch (error) {
      if (key !== $("picked").value) return;
      $("figure").replaceChildren();
      say("refused", error.message);
    }
  }

  async function take() {
    const [file] = $("file").files;
    if (!file) return;
    say("refused", "");
    try {
      if (file.size > about.bytes)
        throw new Error(`${file.name} has ${file.size.toLocaleString("en")} bytes, accepted are at most ${about.bytes.toLocaleString("en")}`);
      const options = { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" } };
      const taken = await (await reply(`/clips?name=${encodeURIComponent(file.name)}`, options)).json();
      offer({ ...taken, group: "Yours", label: null });
      $("picked").value = taken.key;
      pick();
    } catch (error) {
      say("refused", error.message);
    }
    $("file").value = ""; // so that the same file can be taken again
  }

  // --- answers ---

  let timer, asking = false, again = false;

  function soon() {
    $("answer").classList.add("busy");
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  // One question at a time: what changes meanwhile is asked afterwards, and an answer to what has
  // changed since is not shown.
  async function ask() {
    clearTimeout(timer);
    if (!$("picked").value) return $("answer").classList.remove("busy");
    if (asking) { again = true; return; }
    asking = true;
    $("answer").classList.add("busy");
    const waiting = setTimeout(() => {
      $("waiting").textContent = "Still at it: the first new words wait until the text encoder is loaded.";
    }, PATIENCE);
    do {
      again = false;
      const question = { clip: $("picked").value, classes: classes.map(one => one.asked).filter(Boolean) };
      const options = { method: "POST", body: JSON.stringify(question), headers: { "Content-Type": "application/json" } };
      try {
        const answer = await (await reply("/answer", options)).json();
        if (!again) show(answer);
      } catch (error) {
        if (again) continue;
        say("error", error.message);
        $("answer").classList.add("stale");
      }
    } while (again);
    clearTimeout(waiting);
    $("waiting").textContent = "";
    asking = false;
    $("answer").classList.remove("busy");
  }

  function show(answer) {
    say("error", "");
    $("answer").classList.remove("stale");
    $("ranking").hidden = false;
    verdict(answer);
    gate(answer);
    for (const side of ["unseen", "seen"]) {
      const rows = answer[side].slice(0, about.told).map(([label, share]) => {
        const filled = make("i", {}), bar = make("span", { className: "bar" }, filled);
        bar.setAttribute("aria-hidden", "true");
        filled.style.width = 100 * share + "%";
        return make("li", {}, make("span", { className: "name", textContent: label }),
          make("span", { className: "share", textContent: percent(share) }), bar);
      });
      $(side).replaceChildren(...rows);
      const taken = answer.side === side;
      $(side).classList.toggle("taken", taken);
      $(side).previousElementSibling.querySelector(".chosen").textContent = taken ? "← taken" : "";
    }
    const shares = Object.fromEntries(answer.unseen);
    for (const one of classes)
      one.share.textContent = one.asked && one.given in shares ? percent(shares[one.given]) : "";
    $("seconds").textContent = `Answered in ${answer.seconds.toFixed(2)} s. Each list adds up to 100 % by itself.`;
  }

  function verdict({ label, share, side, truth }) {
    const known = side === "seen" ? "known from clips" : "known from words";
    const parts = [make("b", { textContent: label }), `${percent(share)} among classes ${known}`];
    if (truth === label) parts.push(make("span", { className: "right", textContent: "✓ Right." }));
    else if (classes.some(one => one.own && one.given === label) && truth)
      parts.push(make("span", { textContent: `A class of your own; the study calls the clip “${truth}”.` }));
    else if (truth) parts.push(make("span", { className: "wrong", textContent: `✗ Wrong: the clip shows “${truth}”.` }));
    $("verdict").replaceChildren(...parts);
  }

  function gate({ score, threshold }) {
    $("gate").hidden = score === null;
    if (score === null) return;
    $("gate").querySelector(".score").style.width = 100 * score + "%";
    $("gate").querySelector(".threshold").style.left = 100 * threshold + "%";
    const [relation, side] = score >= threshold ? ["≥", "known from clips (seen)"] : ["<", "known from words (unseen)"];
    $("gate").querySelector("p").textContent = `Gate: ${score.toFixed(2)} ${relation} ${threshold.toFixed(2)}, so a class ${side}.`;
  }

  about.clips.forEach(offer);
  $("known").textContent = about.seen.join(", ");
  $("picked").onchange = pick;
  $("file").onchange = take;
  $("reset").onclick = reset;
  $("add").onclick = () => {
    add("", Object.fromEntries(OWN.map(kind => [kind, ""])), true).fields.label.focus();
  };
  if (!about.clips.length) $("picked").append(new Option("none yet", ""));
  reset();
  pick();
})();
