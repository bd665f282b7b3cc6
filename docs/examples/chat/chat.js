// The conversation: what is sent, what is received, and the state of the connection.
// `io` is the official client, from /socket.io/socket.io.js.

import { prepare } from "./images.js";
import * as view from "./view.js";

const { $ } = view;
const ACK_MS = 10_000;
const TYPING_MS = 3_000; // a typing person says so again within this time, else the line goes away

const socket = io({ autoConnect: false }); // starts with polling and upgrades to WebSocket
const me = { user: kept(sessionStorage, "user", newId), name: stored(sessionStorage, "name") };
let room = "";
let rooms = [];
let here = null; // Map of user -> name; null until the first list of a room came
let seen = new Set(); // ids of the messages on the page, so that a reconnection repeats none
let waiting = []; // messages written while there is no connection
let staged = null; // the image in the tray

// -- the connection --------------------------------------------------------------------------------------------

socket.on("connect", () => {
  const { engine } = socket.io;
  view.showLink("connected", engine.transport.name);
  engine.on("upgrade", (transport) => view.showLink("connected", transport.name));
  if (!$("banner").hidden) {
    view.showBanner("Back online", "back");
    setTimeout(() => { if (socket.connected) view.showBanner(""); }, 2_000);
  }
  join(roomOfAddress());
});
socket.on("disconnect", (reason) => {
  typists.clear();
  view.showTyping([]);
  view.showLink("reconnecting", "");
  view.showBanner("Connection lost. Reconnecting…");
  // The client reconnects by itself, except when the server closed this socket on purpose.
  if (reason === "io server disconnect") setTimeout(() => socket.connect(), 1_000);
});
socket.on("connect_error", () => {
  view.showLink("reconnecting", "");
  view.showBanner("The server cannot be reached. Trying again…");
});

async function join(wanted) {
  const answer = await ask("join", me.user, me.name, wanted);
  if (!answer.ok) {
    problem(answer.error);
    history.replaceState(null, "", `#${encodeURIComponent(room || "lobby")}`);
    return;
  }
  if (answer.room !== room) {
    room = answer.room;
    seen = new Set();
    waiting = [];
    view.clearMessages();
    if (roomOfAddress() !== room) history.replaceState(null, "", `#${encodeURIComponent(room)}`);
  }
  typists.clear();
  view.showTyping([]);
  view.showRoom(room);
  view.showRooms(rooms, room);
  answer.history.forEach(receive);
  view.scrollDown("auto");
  for (const message of waiting.splice(0)) deliver(message);
}

/** Emits and waits for the acknowledgement; a failure is an answer too. */
async function ask(...args) {
  try {
    return await socket.timeout(ACK_MS).emitWithAck(...args);
  } catch {
    return { ok: false, error: "No answer from the server." };
  }
}

// -- what comes in ---------------------------------------------------------------------------------------------

socket.on("message", receive);
function receive(message) {
  if (message.room !== room || seen.has(message.id)) return;
  seen.add(message.id);
  typed(message.user, message.name, false);
  view.addMessage(message, message.user === me.user)("acknowledged");
}

socket.on("rooms", (list) => view.showRooms(rooms = list, room));

socket.on("people", (where, people) => {
  const now = new Map(people.map(({ user, name }) => [user, name]));
  if (here?.room === where) {
    for (const [user, name] of now) if (!here.people.has(user)) view.addNotice(`${name} joined`);
    for (const [user, name] of here.people) if (!now.has(user)) view.addNotice(`${name} left`);
  }
  here = { room: where, people: now };
  view.showPeople(people, me.user);
});

const typists = new Map(); // user -> [name, timer]
socket.on("typing", (where, user, name, active) => { if (where === room) typed(user, name, active); });
function typed(user, name, active) {
  clearTimeout(typists.get(user)?.[1]);
  typists.delete(user);
  if (active) typists.set(user, [name, setTimeout(() => typed(user, name, false), TYPING_MS + 1_000)]);
  view.showTyping([...typists.values()].map(([typist]) => typist));
}

// -- what goes out ---------------------------------------------------------------------------------------------

function say(content) {
  const message = { ...content, room, user: me.user, name: me.name, at: Date.now() };
  message.mark = view.addMessage(message, true, () => deliver(message));
  deliver(message);
}

async function deliver(message) {
  if (!socket.connected) {
    message.mark("waiting");
    waiting.push(message);
    return;
  }
  message.mark("sent");
  const start = performance.now();
  const answer = message.image
    ? await ask("image", message.room, message.filename, message.bytes)
    : await ask("chat", message.room, message.text);
  if (answer.ok) {
    seen.add(answer.id);
    message.mark("acknowledged", `after ${Math.round(performance.now() - start)} ms`);
  } else {
    message.mark("failed", answer.error);
  }
}

let typingUntil = 0;
function tellTyping(active) {
  if (!socket.connected || active === performance.now() < typingUntil) return;
  typingUntil = active ? performance.now() + TYPING_MS : 0;
  socket.volatile.emit("typing", room, active);
}

// -- the composer ----------------------------------------------------------------------------------------------

const text = $("text");

function composed() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
  $("send").disabled = !room || !(text.value.trim() || staged);
}

text.addEventListener("input", () => {
  composed();
  problem("");
  tellTyping(text.value !== "");
});
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = text.value.trim();
  if (!room || !(words || staged)) return;
  tellTyping(false);
  if (staged) say({ image: staged.blob, bytes: staged.bytes, filename: staged.name });
  if (words) say({ text: words });
  text.value = "";
  stage(null);
  text.focus();
});

async function choose(file) {
  problem("");
  try {
    stage(await prepare(file));
  } catch (error) {
    problem(error.message);
  }
}

function stage(image) {
  if (staged) URL.revokeObjectURL($("tray-image").src);
  staged = image;
  $("tray").hidden = !image;
  if (image) {
    $("tray-image").src = URL.createObjectURL(image.blob);
    $("tray-name").textContent = image.name;
    $("tray-note").textContent = image.note;
    text.focus();
  } else {
    $("tray-image").removeAttribute("src");
  }
  composed();
}

function problem(words) {
  $("problem").textContent = words;
  $("problem").hidden = !words;
}

$("tray-remove").addEventListener("click", () => stage(null));
$("file").addEventListener("change", ({ target }) => {
  if (target.files[0]) choose(target.files[0]);
  target.value = ""; // the same file may be chosen again
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  choose(file);
});

const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
addEventListener("dragover", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  $("stage").classList.add("dragging");
});
addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("stage").classList.remove("dragging"); });
addEventListener("drop", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  $("stage").classList.remove("dragging");
  choose(event.dataTransfer.files[0]);
});

// -- rooms and names -------------------------------------------------------------------------------------------

function roomOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)) || "lobby";
  } catch {
    return "lobby";
  }
}
addEventListener("hashchange", () => {
  view.drawer(false);
  if (socket.connected && roomOfAddress() !== room) join(roomOfAddress());
});
$("new-room").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("new-room-name").value.trim();
  if (name) location.hash = encodeURIComponent(name);
  $("new-room-name").value = "";
});

function askName() {
  const names = ["Quiet Otter", "Amber Finch", "Brave Hare", "Mellow Fox", "Swift Heron", "Clever Wren"];
  $("name").value = me.name || stored(localStorage, "name") || names[Math.floor(Math.random() * names.length)];
  view.paintAvatar($("hello-avatar"), $("name").value);
  view.drawer(false);
  $("hello").showModal();
  $("name").select();
}
$("name").addEventListener("input", () => view.paintAvatar($("hello-avatar"), $("name").value));
$("me").addEventListener("click", askName);
$("hello").addEventListener("cancel", (event) => { if (!me.name) event.preventDefault(); });
$("hello-form").addEventListener("submit", (event) => {
  const name = $("name").value.trim();
  if (!name) return event.preventDefault();
  me.name = name;
  sessionStorage.setItem("name", name);
  localStorage.setItem("name", name);
  enter();
});

$("hello").addEventListener("close", () => text.focus());

function enter() {
  view.showMe(me.name);
  text.focus();
  if (socket.connected) join(room);
  else socket.connect();
}

function stored(storage, key) {
  return storage.getItem(key) ?? "";
}
function kept(storage, key, make) {
  if (!storage.getItem(key)) storage.setItem(key, make());
  return storage.getItem(key);
}
function newId() {
  // Not crypto.randomUUID: a phone that opens this page by its address in the local network has none.
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

if (me.name) enter();
else askName();
