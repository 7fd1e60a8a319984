/* The judge's page: keys, answers without loading the page anew, and answers that wait while the server is away.
   Everything works by plain forms, too; this makes it quick and keeps what the server has not confirmed. */
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const desk = byId("desk");
  const { name, sample } = desk.dataset;
  const place = `${sample}:${name}`;
  const WAITING = `waiting:${place}`;
  const DELAYS = [500, 1000, 2000, 4000, 8000, 15000];
  const NARROW = matchMedia("(max-width: 40rem)");
  const SETTLE = 300; // milliseconds in which a second press of a key is not yet an answer to the next item

  let formToken = desk.dataset.token;
  let busy = false; // an answer or an undo is on its way
  let ready = false; // the item has been in view for a moment
  let again = null; // timer of the next attempt
  let attempt = 0;
  let pending = ""; // the verdict that waits for its note
  let shown = 0; // when the item came up, and the seconds for which it was looked at before that
  let looked = 0;

  const storage = (kind) => ({
    get: (key) => { try { return window[kind].getItem(key); } catch { return null; } },
    set: (key, value) => { try { window[kind].setItem(key, value); } catch { /* full or forbidden: the page goes on */ } },
    drop: (key) => { try { window[kind].removeItem(key); } catch { /* as above */ } },
  });
  const kept = storage("sessionStorage");
  const settings = storage("localStorage");

  const item = () => desk.querySelector(".item");
  const note = () => byId("note");
  const noteKey = (number) => `note:${place}:${number}`;
  const task = () => desk.querySelector("input[name=task]")?.value ?? "";
  const say = (text) => { byId("said").textContent = text; };

  /* What stands on the page */

  function settle() {
    ready = false;
    delete desk.dataset.ready;
    setTimeout(() => { ready = true; desk.dataset.ready = "true"; }, SETTLE);
  }

  function begin() {
    const current = item();
    looked = 0;
    pending = "";
    shown = performance.now();
    settle();
    if (!current) return;
    const draft = kept.get(noteKey(current.dataset.number));
    if (draft !== null && !note().value) note().value = draft;
    const seen = `guideline:${current.dataset.task}`;
    if (byId("guideline")) byId("guideline").open = !NARROW.matches && (settings.get(seen) === null || keepsGuideline());
    settings.set(seen, "seen");
  }

  /* A guideline is open the first time, and then as the judge left it; beside the item, where there is room, it stays.
     On a telephone, where it would push the item out of sight, it opens when it is asked for. */
  function keepsGuideline() {
    const chosen = settings.get("guideline");
    return chosen === null ? matchMedia("(min-width: 78rem)").matches : chosen === "open";
  }

  function replace(reply) {
    const open = byId("progress").open;
    desk.innerHTML = reply.html; // written and escaped by the server
    byId("progress").open = open;
    document.title = `${reply.title} · ecinstruct`;
    begin();
    window.scrollTo(0, 0);
    byId("heading").focus({ preventScroll: true });
    say(`${reply.said} ${reply.title}.`);
  }

  function setBusy(value) {
    busy = value;
    desk.setAttribute("aria-busy", String(value));
    for (const button of desk.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", String(value));
  }

  function press(verdict) {
    for (const button of desk.querySelectorAll(".verdict")) {
      if (button.value === verdict) button.setAttribute("aria-pressed", "true");
      else button.removeAttribute("aria-pressed");
    }
  }

  /* Ask for the note without which "other" says nothing; the hint stays while it is written. */
  function faultOfNote(text) {
    pending = "other";
    press(pending);
    byId("note-fault").className = "bad";
    byId("note-fault").textContent = text;
    note().setAttribute("aria-invalid", "true");
    note().focus();
  }

  /* Talking to the server */

  async function post(address, body) {
    const reply = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", "x-form-token": formToken },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(20000),
    });
    return { status: reply.status, ...(await reply.json()) };
  }

  function away(text, retry) {
    byId("offline-text").textContent = text;
    byId("offline").hidden = false;
    byId("retry").hidden = !retry;
  }

  function back() {
    clearTimeout(again);
    attempt = 0;
    byId("offline").hidden = true;
  }

  function later(waiting, text) {
    away(text, true);
    clearTimeout(again);
    again = setTimeout(() => deliver(waiting), DELAYS[Math.min(attempt, DELAYS.length - 1)]);
    attempt += 1;
  }

  /* Send an answer until the server has said what became of it. */
  async function deliver(waiting) {
    clearTimeout(again);
    setBusy(true);
    let reply;
    try {
      reply = await post("/review/answer", waiting);
    } catch {
      later(waiting, `The server does not answer. Your answer on item ${waiting.number} is kept here and will be sent when it is back.`);
      return;
    }
    if (reply.status >= 500) {
      later(waiting, `${reply.message} Your answer on item ${waiting.number} is kept here and will be sent again.`);
    } else if (reply.status === 401 || reply.error === "form") {
      byId("offline").querySelector("a")?.remove();
      away(`${reply.message} Your answer on item ${waiting.number} is kept here and will be sent when you are back under the name ${name}.`, false);
      const link = document.createElement("a");
      link.href = "/review";
      link.textContent = "Load the page again";
      byId("offline").append(link);
    } else {
      back();
      setBusy(false);
      kept.drop(WAITING);
      if (reply.html) {
        kept.drop(noteKey(waiting.number));
        replace(reply);
      } else {
        press("");
        if (reply.error === "note" && note()) faultOfNote(reply.message);
        else away(reply.message, false);
      }
    }
  }

  function answer(verdict) {
    if (busy || !item()) return;
    if (verdict === "other" && !note().value.trim()) {
      faultOfNote("Say in a note what is wrong; then Ctrl+Enter, or “other” again, gives the verdict.");
      return;
    }
    const waiting = {
      sample,
      number: item().dataset.number,
      verdict,
      note: note().value,
      seconds: Math.round(looked + (document.hidden ? 0 : performance.now() - shown)) / 1000,
      task: task(),
    };
    press(verdict);
    kept.set(WAITING, JSON.stringify(waiting));
    deliver(waiting);
  }

  async function undo() {
    if (busy) {
      say("The last answer is not sent yet.");
      return;
    }
    setBusy(true);
    try {
      const reply = await post("/review/undo", { task: task() });
      if (reply.html) {
        back();
        replace(reply);
      } else {
        away(reply.message, false);
      }
    } catch {
      away("The server does not answer; nothing was undone. Try again in a moment.", false);
    }
    setBusy(false);
  }

  /* Keys and clicks */

  function toggle(id) {
    const part = byId(id);
    if (!part) return;
    part.open = !part.open;
    if (id === "guideline") settings.set("guideline", part.open ? "open" : "closed");
    part.querySelector("summary").focus({ preventScroll: true });
    part.scrollIntoView({ block: "nearest" });
    say(`${id} ${part.open ? "shown" : "hidden"}`);
  }

  function help() {
    byId("help").showModal();
  }

  const KEYS = {
    n: () => note()?.focus(),
    u: undo,
    g: () => toggle("guideline"),
    r: () => toggle("raw"),
    p: () => toggle("progress"),
    "?": help,
  };

  document.addEventListener("keydown", (event) => {
    if (event.target === note() && (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey)))) {
      event.preventDefault();
      if (event.key === "Enter" && pending) {
        if (!event.repeat && ready) answer(pending);
      } else byId("heading").focus({ preventScroll: true });
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target.closest("input, select, textarea") || byId("help").open || settings.get("keys") === "off") return;
    const verdict = desk.querySelector(`.verdict[aria-keyshortcuts="${CSS.escape(event.key)}"]`);
    if (verdict) {
      event.preventDefault();
      if (ready) answer(verdict.value);
    } else if (Object.hasOwn(KEYS, event.key)) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });

  desk.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.id === "undo") undo();
    else if (event.submitter?.value && ready) answer(event.submitter.value);
  });

  desk.addEventListener("click", (event) => {
    if (!event.target.closest("#guideline > summary")) return;
    settings.set("guideline", byId("guideline").open ? "closed" : "open"); // as it is before the click does its work
  });

  desk.addEventListener("input", (event) => {
    if (event.target !== note()) return;
    kept.set(noteKey(item().dataset.number), note().value);
    if (pending) byId("note-fault").className = "dim";
    else byId("note-fault").textContent = "";
    note().removeAttribute("aria-invalid");
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) looked += performance.now() - shown;
    else shown = performance.now();
  });

  byId("retry").addEventListener("click", () => deliver(JSON.parse(kept.get(WAITING))));
  byId("help-link").addEventListener("click", (event) => { event.preventDefault(); help(); });
  byId("help").addEventListener("close", () => byId("heading").focus({ preventScroll: true }));
  byId("help-close").addEventListener("click", () => byId("help").close());
  byId("keys-on").checked = settings.get("keys") !== "off";
  byId("keys-on").addEventListener("change", (event) => settings.set("keys", event.target.checked ? "on" : "off"));

  begin();
  const waiting = kept.get(WAITING);
  if (waiting) deliver(JSON.parse(waiting));
})();
