/* The map of the items: a canvas that moves and zooms, with pictures of items that have room.
   Without it the page lists the first items of the map. */
"use strict";

{
  const MOST_ZOOM = 400;
  const PICTURES = 80;
  const LISTED = 24;
  const WAIT = 3000;

  const card = document.querySelector("[data-map]");
  const canvas = card?.querySelector("canvas");
  const find = (selector) => card.querySelector(selector);
  const list = document.querySelector("[data-map-list]");
  const count = document.querySelector("[data-map-count]");
  const pictures = new Map();
  const pointers = new Map();
  const hidden = new Set();
  let points = { ids: [], x: [], y: [], titles: [], labels: [] };
  let colours = [];
  let view = { x: 0, y: 0, zoom: 1 };
  let size = { width: 1, height: 1, unit: 1 };
  let middle = { x: 0, y: 0, width: 2, height: 2 }; // of all points
  let shown = []; // [point, x, y, side of its picture or 0] of those in view
  let near = -1;
  let moved = 0;
  let frame = 0;
  let settled = 0;

  const at = (x, y) => [
    size.width / 2 + (x - view.x) * size.unit * view.zoom,
    size.height / 2 - (y - view.y) * size.unit * view.zoom,
  ];

  /* Square of the distance from the middle of the canvas. */
  const off = ([, x, y]) => (x - size.width / 2) ** 2 + (y - size.height / 2) ** 2;

  function readColours() {
    const style = getComputedStyle(document.body);
    const swatches = [...card.querySelectorAll(".legend-swatch")];
    colours = swatches.map((each) => getComputedStyle(each).backgroundColor);
    if (!colours.length) colours = [getComputedStyle(find(".map-colour")).color];
    colours.text = style.color;
    colours.surface = getComputedStyle(canvas).backgroundColor;
    draw();
  }

  function resize() {
    const box = canvas.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(box.width * ratio);
    canvas.height = Math.round(box.height * ratio);
    const unit = 0.9 * Math.min(box.width / middle.width, box.height / middle.height);
    size = { width: box.width, height: box.height, ratio, unit };
    draw();
  }

  /* Points in view; a picture where there is room for it, most of all near the middle. */
  function arrange() {
    const side = Math.min(72, 28 + 10 * Math.log2(Math.max(1, view.zoom)));
    const inside = [];
    for (let each = 0; each < points.ids.length; each++) {
      if (hidden.has(points.labels[each])) continue;
      const [x, y] = at(points.x[each], points.y[each]);
      if (x > -side && y > -side && x < size.width + side && y < size.height + side) inside.push([each, x, y, 0]);
    }
    if (view.zoom >= 2.5 || inside.length <= PICTURES) {
      inside.sort((one, other) => off(one) - off(other));
      const cells = new Map();
      let drawn = 0;
      for (const each of inside) {
        if (drawn >= PICTURES) break;
        const column = Math.floor(each[1] / side), line = Math.floor(each[2] / side);
        let free = true;
        for (let c = column - 1; free && c <= column + 1; c++)
          for (let l = line - 1; free && l <= line + 1; l++) {
            const other = cells.get(`${c} ${l}`);
            free = !other || Math.max(Math.abs(other[1] - each[1]), Math.abs(other[2] - each[2])) >= side + 4;
          }
        if (!free) continue;
        cells.set(`${column} ${line}`, each);
        each[3] = side;
        drawn += 1;
      }
    }
    return inside;
  }

  function paint() {
    frame = 0;
    const context = canvas.getContext("2d");
    context.setTransform(size.ratio || 1, 0, 0, size.ratio || 1, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    shown = arrange();
    const radius = Math.min(5, 2.25 + 0.45 * Math.log2(Math.max(1, view.zoom)));
    context.globalAlpha = 0.85;
    for (const [each, x, y] of shown) {
      context.fillStyle = colours[points.labels[each] ?? 0] ?? colours[0];
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    for (const [each, x, y, side] of shown) if (side) paintPicture(context, each, x, y, side);
    if (near >= 0) {
      const [, x, y, side] = shown.find(([each]) => each === near) ?? [0, ...at(points.x[near], points.y[near]), 0];
      context.strokeStyle = colours.text;
      context.lineWidth = 2;
      context.beginPath();
      if (side) context.roundRect(x - side / 2 - 2, y - side / 2 - 2, side + 4, side + 4, 8);
      else context.arc(x, y, radius + 3, 0, 2 * Math.PI);
      context.stroke();
    }
    clearTimeout(settled);
    settled = setTimeout(settle, 160);
  }

  function paintPicture(context, each, x, y, side) {
    const picture = pictures.get(points.ids[each]);
    if (!picture?.complete || !picture.naturalWidth) return;
    const half = side / 2;
    const scale = Math.max(side / picture.naturalWidth, side / picture.naturalHeight);
    const width = picture.naturalWidth * scale, height = picture.naturalHeight * scale;
    context.save();
    context.beginPath();
    context.roundRect(x - half, y - half, side, side, 6);
    context.fillStyle = colours.surface;
    context.fill();
    context.clip();
    context.drawImage(picture, x - width / 2, y - height / 2, width, height);
    context.restore();
    context.strokeStyle = colours[points.labels[each] ?? 0] ?? colours[0];
    context.lineWidth = 2;
    context.beginPath();
    context.roundRect(x - half, y - half, side, side, 6);
    context.stroke();
  }

  function draw() {
    frame ||= requestAnimationFrame(paint);
  }

  /* Once the map rests: pictures are loaded, the list below shows what is in view. */
  function settle() {
    if (!list) return;
    for (const [each, , , side] of shown) {
      const id = points.ids[each];
      if (!side || pictures.has(id)) continue;
      const picture = new Image();
      picture.addEventListener("load", draw);
      picture.src = `/pictures?id=${encodeURIComponent(id)}&size=128`;
      pictures.set(id, picture);
    }
    const inside = shown.filter(([, x, y]) => x >= 0 && y >= 0 && x <= size.width && y <= size.height);
    inside.sort((one, other) => off(one) - off(other));
    const nearest = inside.slice(0, LISTED).map(([each]) => each);
    showList(nearest, inside.length);
    if (document.activeElement === canvas && canvas.matches(":focus-visible")) point(nearest[0] ?? -1);
  }

  let listed = "";
  function showList(nearest, inside) {
    const key = nearest.join();
    const whole = inside === 1 ? "1 item" : `${inside.toLocaleString("en")} items`;
    count.textContent = inside > nearest.length ? `${nearest.length} nearest the middle of ${whole}` : whole;
    if (key === listed) return;
    listed = key;
    const tile = document.querySelector("[data-map-tile]").content.firstElementChild;
    list.replaceChildren(
      ...nearest.map((each) => {
        const made = tile.cloneNode(true);
        made.querySelector("a").href = address(each);
        made.querySelector("img").src = `/pictures?id=${encodeURIComponent(points.ids[each])}&size=128`;
        made.querySelector(".tile-title").textContent = points.titles[each] || points.ids[each];
        return made;
      }),
    );
  }

  const address = (each) => `/items/item?id=${encodeURIComponent(points.ids[each])}`;

  /* The point under the pointer or, with the keyboard, nearest the middle. */
  function point(each, hovers = false) {
    const tip = find(".map-tip");
    if (each !== near) {
      near = each;
      draw();
    }
    tip.hidden = each < 0;
    canvas.classList.toggle("over", each >= 0 && hovers);
    if (each < 0) return;
    const [left, top] = at(points.x[each], points.y[each]);
    const gap = 10 + (shown.find(([other]) => other === each)?.[3] ?? 0) / 2;
    const below = top < 64 + gap;
    const label = points.names?.[points.labels[each]];
    tip.textContent = (points.titles[each] || points.ids[each]) + (label ? ` · ${label}` : "");
    tip.href = address(each);
    tip.style.left = `${Math.min(Math.max(left, 90), size.width - 90)}px`;
    tip.style.top = `${below ? top + gap : top - gap}px`;
    tip.classList.toggle("below", below);
  }

  function under(x, y) {
    let best = -1, distance = 14 ** 2;
    for (const [each, left, top, side] of shown) {
      const far = (left - x) ** 2 + (top - y) ** 2;
      const reach = pictures.get(points.ids[each])?.naturalWidth ? side / 2 : 0;
      if (reach && Math.abs(left - x) <= reach && Math.abs(top - y) <= reach) return each;
      if (far < distance) [best, distance] = [each, far];
    }
    return best;
  }

  function zoom(factor, x = size.width / 2, y = size.height / 2) {
    const before = view.zoom;
    view.zoom = Math.min(MOST_ZOOM, Math.max(0.8, before * factor));
    const change = (1 / before - 1 / view.zoom) / size.unit;
    view.x += (x - size.width / 2) * change;
    view.y -= (y - size.height / 2) * change;
    keepInside();
  }

  function move(right, down) {
    view.x -= right / (size.unit * view.zoom);
    view.y += down / (size.unit * view.zoom);
    keepInside();
  }

  function keepInside() {
    for (const [axis, length] of [["x", middle.width], ["y", middle.height]])
      view[axis] = Math.min(middle[axis] + length / 2, Math.max(middle[axis] - length / 2, view[axis]));
    draw();
  }

  function showAll() {
    view = { x: middle.x, y: middle.y, zoom: 1 };
    draw();
  }

  function measure() {
    const bounds = (values) => values.reduce(([low, high], each) => [Math.min(low, each), Math.max(high, each)], [1, -1]);
    const [left, right] = bounds(points.x), [bottom, top] = bounds(points.y);
    middle = {
      x: (left + right) / 2, y: (bottom + top) / 2,
      width: Math.max(right - left, 0.1), height: Math.max(top - bottom, 0.1),
    };
    showAll();
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };

  function listen() {
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, place(event));
      canvas.setPointerCapture(event.pointerId);
      if (pointers.size === 1) moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const now = place(event), before = pointers.get(event.pointerId);
      if (!before) {
        point(under(...now), true);
        return;
      }
      moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (pointers.size === 1) {
        if (moved > 4) point(-1);
        move(now[0] - before[0], now[1] - before[1]);
      } else if (pointers.size === 2) {
        const [other] = [...pointers].find(([id]) => id !== event.pointerId).slice(1);
        const apart = (one) => Math.max(8, Math.hypot(one[0] - other[0], one[1] - other[1]));
        zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
        move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      }
      pointers.set(event.pointerId, now);
    });
    canvas.addEventListener("pointerup", (event) => {
      const up = place(event), alone = pointers.size === 1;
      pointers.delete(event.pointerId);
      if (!alone || moved > 4) return;
      const each = under(...up);
      if (each >= 0 && event.pointerType === "touch" && each !== near) point(each, true);
      else if (each >= 0) location.assign(address(each));
      else point(-1);
    });
    canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch" && event.relatedTarget !== find(".map-tip")) point(-1);
    });
    canvas.addEventListener("blur", () => point(-1));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      point(-1);
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...place(event));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = Math.min(size.width, size.height) / 8;
      const actions = {
        "+": () => zoom(1.4),
        "=": () => zoom(1.4),
        "-": () => zoom(1 / 1.4),
        0: showAll,
        ArrowLeft: () => move(step, 0),
        ArrowRight: () => move(-step, 0),
        ArrowUp: () => move(0, step),
        ArrowDown: () => move(0, -step),
        Enter: () => near >= 0 && location.assign(address(near)),
      };
      if (!(event.key in actions)) return;
      event.preventDefault();
      event.stopPropagation();
      actions[event.key]();
    });
    const buttons = { in: () => zoom(1.6), out: () => zoom(1 / 1.6), all: showAll };
    for (const button of card.querySelectorAll("[data-zoom]"))
      button.addEventListener("click", buttons[button.dataset.zoom]);
    card.addEventListener("change", (event) => {
      const label = Number(event.target.dataset.label);
      if (event.target.checked) hidden.delete(label);
      else hidden.add(label);
      draw();
    });
    new ResizeObserver(resize).observe(canvas);
    new MutationObserver(readColours).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
  }

  async function load() {
    let found;
    try {
      const response = await fetch(card.dataset.map, { headers: { Accept: "application/json" } });
      found = (await response.json()).map;
    } catch {
      found = null;
    }
    const wait = find(".map-wait");
    if (!found) {
      wait.hidden = false;
      wait.textContent = "The map could not be loaded. Load the page again.";
    } else if (found.pending) {
      setTimeout(load, WAIT);
    } else if (!wait.hidden) {
      location.reload(); // with the legend and the list
    } else {
      points = {
        ids: found.item_ids, x: found.x, y: found.y, titles: found.titles,
        labels: found.point_labels, names: found.labels,
      };
      measure();
      resize();
      readColours();
    }
  }

  if (card) {
    listen();
    load();
  }
}
