// The page as the user sees it: elements in, elements out. It knows nothing of Socket.IO.
// A text from a person only ever becomes `textContent`, an image only a blob: URL.

export const $ = (id) => document.getElementById(id);

const GROUP_MS = 3 * 60_000; // messages of one person within this time share a name and an avatar
const KEPT = 300; // messages kept on the page
const STATES = {
  waiting: "Waiting for the connection",
  sent: "Sent",
  acknowledged: "Acknowledged by the server",
  failed: "Not delivered",
};

const list = $("messages");
let following = true; // the newest message stays in view, until the reader scrolls up
let lastTop = 0;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

// Degrees of oklch; the muddy ones between yellow and green are left out.
const HUES = [10, 32, 52, 72, 150, 172, 196, 222, 248, 272, 296, 320, 344];

/** The same name has the same colour for everyone: its hash chooses the hue. */
export function hue(name) {
  let hash = 2166136261;
  for (const letter of name) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  return HUES[((hash ^ (hash >>> 15)) >>> 0) % HUES.length];
}

export function paintAvatar(avatar, name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  avatar.textContent = letters.map((word) => [...word][0].toUpperCase()).join("") || "?";
  avatar.style.setProperty("--hue", hue(name));
  return avatar;
}

function avatarOf(name) {
  const avatar = paintAvatar(element("span", "avatar"), name);
  avatar.setAttribute("aria-hidden", "true");
  return avatar;
}

// -- rooms, people, state --------------------------------------------------------------------------------------

export function showRoom(room) {
  $("room").textContent = room;
  document.title = `${room} · Chat`;
}

export function showRooms(rooms, current) {
  const listed = rooms.some(({ name }) => name === current) ? rooms : [...rooms, { name: current, people: 0 }];
  $("rooms").replaceChildren(...listed.map(({ name, people }) => {
    const link = element("a");
    link.href = `#${encodeURIComponent(name)}`;
    link.dataset.room = name;
    if (name === current) link.setAttribute("aria-current", "page");
    link.append(element("span", "name", name));
    if (people) {
      const count = element("span", "count", people);
      count.setAttribute("aria-label", `${people} here`);
      link.append(count);
    }
    const item = element("li");
    item.append(link);
    return item;
  }));
}

export function showPeople(people, me) {
  const sorted = [...people].sort((a, b) => (b.user === me) - (a.user === me) || a.name.localeCompare(b.name));
  $("people").replaceChildren(...sorted.map(({ user, name }) => {
    const item = element("li");
    item.append(avatarOf(name), element("span", "name", name));
    if (user === me) item.append(element("span", "you", "you"));
    return item;
  }));
  $("count").textContent = people.length === 1 ? "Only you are here" : `${people.length} people here`;
}

export function showMe(name) {
  $("me").replaceChildren(avatarOf(name), element("span", "name", name), element("span", "hint", "Change"));
}

export function showTyping(names) {
  const who = names.length === 1 ? `${names[0]} is typing`
    : names.length === 2 ? `${names[0]} and ${names[1]} are typing`
    : "Several people are typing";
  const dots = element("span", "dots");
  dots.setAttribute("aria-hidden", "true");
  dots.append(element("i"), element("i"), element("i"));
  $("typing").replaceChildren(...(names.length ? [dots, element("span", "who", who)] : []));
}

/** `state`: connecting, connected, reconnecting or offline; `transport`: polling, websocket or "". */
export function showLink(state, transport) {
  const badge = $("badge");
  badge.dataset.state = state;
  badge.dataset.transport = transport;
  $("badge-state").textContent = state;
  for (const step of badge.querySelectorAll("[data-step]")) {
    step.classList.toggle("current", step.dataset.step === transport);
  }
}

export function showBanner(text, kind = "lost") {
  const banner = $("banner");
  banner.hidden = !text;
  banner.dataset.kind = kind;
  banner.textContent = text;
}

// -- messages --------------------------------------------------------------------------------------------------

export function clearMessages() {
  for (const item of list.children) forget(item);
  list.replaceChildren();
  $("jump").hidden = true;
  following = true;
  lastTop = 0;
  $("empty").hidden = false;
}

export function addNotice(text) {
  append(element("li", "notice", text));
}

/** Shows `message` and returns a function that sets the state of its tick (an own message has one). */
export function addMessage(message, own, retry) {
  const item = element("li", own ? "message own" : "message");
  item.dataset.testid = "message";
  Object.assign(item.dataset, { user: message.user, at: message.at });
  item.style.setProperty("--hue", hue(message.name));
  const before = list.lastElementChild;
  if (before?.dataset.user === message.user && message.at - Number(before.dataset.at) < GROUP_MS) {
    item.classList.add("follows");
  } else if (!own) {
    item.append(avatarOf(message.name), element("span", "author", message.name));
  }

  const bubble = element("div", "bubble");
  if (message.image) bubble.append(pictureOf(message));
  else if (message.type) bubble.append(element("p", "gone", `sent the image “${message.filename}”`));
  if (message.text) bubble.append(element("p", "text", message.text));
  const foot = element("span", "foot");
  const time = element("time", "", clock(message.at));
  time.dateTime = new Date(message.at).toISOString();
  foot.append(time);
  bubble.append(foot);
  if (message.image && !message.text) bubble.classList.add("picture");
  item.append(bubble);
  append(item, own);
  if (!own) return () => {};

  const tick = element("span", "tick");
  tick.dataset.testid = "tick";
  tick.setAttribute("role", "img");
  foot.append(tick);
  return (state, detail) => {
    item.dataset.state = tick.dataset.state = state;
    tick.title = detail ? `${STATES[state]}: ${detail}` : STATES[state];
    tick.setAttribute("aria-label", tick.title);
    tick.replaceChildren(icon(state));
    item.querySelector(".again")?.remove();
    if (state !== "failed") return;
    const again = element("button", "again", `${detail || "Not delivered."} Try again`);
    again.type = "button";
    again.addEventListener("click", retry);
    item.append(again);
    scrollDown();
  };
}

function pictureOf({ image, type, filename, name }) {
  const picture = element("img");
  picture.alt = `${filename || "Image"}, sent by ${name}`;
  picture.dataset.testid = "picture";
  picture.addEventListener("load", () => { if (following) scrollDown(); });
  picture.src = URL.createObjectURL(image instanceof Blob ? image : new Blob([image], { type }));
  const button = element("button", "open");
  button.type = "button";
  button.setAttribute("aria-label", "Show the image larger");
  button.append(picture);
  button.addEventListener("click", () => {
    Object.assign($("lightbox-image"), { src: picture.src, alt: picture.alt });
    $("lightbox").showModal();
  });
  return button;
}

function append(item, own = false) {
  $("empty").hidden = true;
  list.append(item);
  while (list.childElementCount > KEPT) {
    forget(list.firstElementChild);
    list.firstElementChild.remove();
  }
  if (own) following = true;
  if (following) scrollDown();
  else $("jump").hidden = false;
}

function forget(item) {
  for (const picture of item.querySelectorAll("img")) URL.revokeObjectURL(picture.src);
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

// -- scrolling -------------------------------------------------------------------------------------------------

export function scrollDown(behavior = "smooth") {
  following = true;
  $("jump").hidden = true;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  list.scrollTo({ top: list.scrollHeight, behavior: calm ? "auto" : behavior });
}

// Only a move upwards is the reader's wish: a smooth scroll passes through many places on its way down.
list.addEventListener("scroll", () => {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  if (atEnd) {
    following = true;
    $("jump").hidden = true;
  } else if (list.scrollTop < lastTop - 2) {
    following = false;
  }
  lastTop = list.scrollTop;
}, { passive: true });
new ResizeObserver(() => { if (following) scrollDown("auto"); }).observe(list);
$("jump").addEventListener("click", () => scrollDown());

// The list of rooms is a drawer on a phone.
export function drawer(open) {
  document.body.classList.toggle("drawer", open);
  $("menu").setAttribute("aria-expanded", String(open));
}
$("menu").addEventListener("click", () => drawer(!document.body.classList.contains("drawer")));
$("scrim").addEventListener("click", () => drawer(false));
addEventListener("keydown", (event) => { if (event.key === "Escape") drawer(false); });
