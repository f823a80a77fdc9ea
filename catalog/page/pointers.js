/* Mouse, touch and keys on the map. The page scrolls as always; the wheel zooms once the map has the focus. */

function listenToPointers(canvas, { move, zoom, choose, nameAt }) {
  const held = new Map();
  let travelled = 0;
  const at = (event) => [event.offsetX, event.offsetY];
  const hint = byId("map-hint");
  let fade;
  const tell = (words) => { hint.textContent = words; hint.hidden = false; clearTimeout(fade); fade = setTimeout(() => { hint.hidden = true; }, 1400); };

  canvas.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, at(event));
    travelled = held.size > 1 ? Infinity : 0;
    if (event.pointerType === "mouse") { canvas.setPointerCapture(event.pointerId); canvas.classList.add("moving"); }
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) {
      const name = event.pointerType === "mouse" ? nameAt(...at(event)) : null;
      canvas.title = name ?? "";
      canvas.classList.toggle("over", name !== null);
      return;
    }
    const now = at(event);
    const others = [...held].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (others.length) {
      const [other] = others;
      const spread = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]);
      if (spread(before) > 0) zoom(spread(now) / spread(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else move(now[0] - before[0], now[1] - before[1]);
    travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    held.set(event.pointerId, now);
  });
  const release = (event) => {
    if (held.delete(event.pointerId) && event.type === "pointerup" && travelled < 6) choose(...at(event));
    canvas.classList.remove("moving");
  };
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, release);
  canvas.addEventListener("touchmove", (event) => { if (event.touches.length > 1) event.preventDefault(); }, { passive: false });
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) { tell("Press the map first, then the wheel zooms"); return; }
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016)), ...at(event));
  }, { passive: false });
}

function listenToKeys(canvas, { move, zoom, fitAll, size }) {
  canvas.addEventListener("keydown", (event) => {
    const step = Math.min(size().width, size().height) / 6;
    const actions = {
      ArrowLeft: () => move(step, 0), ArrowRight: () => move(-step, 0), ArrowUp: () => move(0, step), ArrowDown: () => move(0, -step),
      "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), Home: fitAll,
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  });
}
