// Moving skeletons: every `.player` gets its tools, every figure in it a canvas.
// Without this script a figure shows its strip of poses, as it does in print.
(() => {
  "use strict";
  const VIEWS = { oblique: [0.45, 0.12], front: [0, 0], side: [Math.PI / 2, 0], above: [0, Math.PI / 2] };
  const SIDES = ["middle", "left", "right"];
  const REST = 0.5; // seconds at the end of a clip
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const make = (tag, values, ...children) => {
    const element = Object.assign(document.createElement(tag), values);
    element.append(...children);
    return element;
  };

  class Clip {
    constructor(figure, player) {
      this.motion = JSON.parse(figure.querySelector("script").textContent);
      this.flat = this.motion.dimensions === 2;
      this.phase = 0;
      this.seen = true;
      const label = figure.dataset.name + ", moving skeleton. "
        + (this.flat ? "" : "Arrow keys turn it. ") + "Space plays or pauses.";
      this.canvas = make("canvas", { tabIndex: 0 });
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", label);
      figure.prepend(this.canvas);
      this.measure();
      this.listen(player);
    }

    measure() { // the middle of all joints, and how far they reach from it
      const { dimensions: d, bodies } = this.motion;
      const low = Array(d).fill(Infinity), high = Array(d).fill(-Infinity);
      const all = bodies.flat().filter(Boolean);
      all.forEach(pose => pose.forEach((value, n) => {
        low[n % d] = Math.min(low[n % d], value);
        high[n % d] = Math.max(high[n % d], value);
      }));
      this.middle = low.map((value, n) => (value + high[n]) / 2);
      this.reach = low.map((value, n) => (high[n] - value) / 2 + 12);
      if (this.flat) return;
      let far = 0;
      all.forEach(pose => {
        for (let n = 0; n < pose.length; n += 3)
          far = Math.max(far, Math.hypot(pose[n] - this.middle[0], pose[n + 1] - this.middle[1]));
      });
      this.round = far + 12;
    }

    listen(player) {
      const turn = (yaw, pitch) => player.turn(player.yaw + yaw, player.pitch + pitch);
      const keys = { ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
      this.canvas.addEventListener("keydown", event => {
        if (event.key === " ") player.play(!player.playing);
        else if (keys[event.key] && !this.flat) turn(...keys[event.key]);
        else return;
        event.preventDefault();
      });
      let held = null;
      this.canvas.addEventListener("pointerdown", event => {
        held = [event.clientX, event.clientY];
        this.canvas.setPointerCapture(event.pointerId);
      });
      this.canvas.addEventListener("pointermove", event => {
        if (!held || this.flat) return;
        turn((event.clientX - held[0]) * 0.01, (event.clientY - held[1]) * 0.01);
        held = [event.clientX, event.clientY];
      });
      for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => { held = null; });
    }

    pose(body) { // between two frames that hold the body; null where it is absent
      const frames = this.motion.bodies[body], at = this.phase * (frames.length - 1);
      const first = frames[Math.floor(at)], next = frames[Math.ceil(at)], part = at % 1;
      if (!first || !next) return part < 0.5 ? first : next;
      return first.map((value, n) => value + part * (next[n] - value));
    }

    draw(player) {
      const size = this.canvas.clientWidth;
      if (!size) return;
      const dots = Math.round(size * Math.min(devicePixelRatio || 1, 2));
      if (this.canvas.width !== dots) this.canvas.width = this.canvas.height = dots;
      const pen = this.canvas.getContext("2d");
      const [a, b] = this.flat ? [0, 0] : [player.yaw, player.pitch];
      const [s, c, sp, cp] = [Math.sin(a), Math.cos(a), Math.sin(b), Math.cos(b)];
      const wide = this.flat ? this.reach[0] : this.round;
      const high = this.flat ? this.reach[1] : this.reach[2] * Math.abs(cp) + this.round * Math.abs(sp);
      const scale = dots / 2 / Math.max(wide, high);
      const place = this.flat
        ? (x, y) => [dots / 2 + scale * (x - this.middle[0]), dots / 2 - scale * (y - this.middle[1]), 0]
        : (x, y, z) => {
          x -= this.middle[0]; y -= this.middle[1]; z -= this.middle[2];
          const ahead = s * x + c * y;
          return [dots / 2 + scale * (s * y - c * x), dots / 2 - scale * (z * cp - ahead * sp), ahead * cp + z * sp];
        };
      pen.clearRect(0, 0, dots, dots);
      if (!this.flat) this.floor(pen, place, player.colours.floor);
      this.motion.bodies.forEach((_, body) => this.body(pen, body, place, scale, player.colours));
    }

    floor(pen, place, colour) {
      const [x, y, z] = this.middle, r = this.round * 0.66, down = z - this.reach[2] + 10;
      pen.beginPath();
      for (const [i, j] of [[-r, -r], [r, -r], [r, r], [-r, r]]) pen.lineTo(...place(x + i, y + j, down).slice(0, 2));
      pen.closePath();
      pen.fillStyle = pen.strokeStyle = colour;
      pen.lineWidth = 2;
      pen.stroke();
      pen.fill();
    }

    body(pen, body, place, scale, colours) {
      const pose = this.pose(body), d = this.motion.dimensions;
      if (!pose) return;
      const joint = n => place(...pose.slice(n * d, n * d + d));
      const bones = this.motion.bones.map(([j, p], n) => [joint(p), joint(j), SIDES[this.motion.sides[n]]]);
      bones.sort((one, other) => one[0][2] + one[1][2] - other[0][2] - other[1][2]);
      pen.lineCap = "round";
      pen.lineWidth = scale * (body ? 2.6 : 5);
      for (const [from, to, side] of bones) {
        pen.strokeStyle = colours[side];
        pen.beginPath();
        pen.moveTo(from[0], from[1]);
        pen.lineTo(to[0], to[1]);
        pen.stroke();
      }
      if (this.motion.head === null) return;
      const [x, y] = joint(this.motion.head);
      pen.beginPath();
      pen.arc(x, y, 8 * scale, 0, 7);
      pen.fillStyle = pen.strokeStyle = colours.middle;
      if (body) pen.stroke(); else pen.fill();
    }

    step(seconds) {
      const whole = this.motion.seconds + REST;
      this.time = ((this.time ?? this.phase * this.motion.seconds) + seconds) % whole;
      this.phase = Math.min(this.time / this.motion.seconds, 1);
    }
  }

  class Player {
    constructor(root) {
      this.root = root;
      this.speed = 1;
      this.clips = [...root.querySelectorAll("figure")].map(figure => new Clip(figure, this));
      [this.yaw, this.pitch] = VIEWS.oblique;
      this.tools();
      root.classList.add("ready");
      this.colour();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.colour());
      addEventListener("resize", () => this.draw());
      const watch = new IntersectionObserver(entries => entries.forEach(entry => {
        const clip = this.clips.find(one => one.canvas === entry.target);
        clip.seen = entry.isIntersecting;
        if (clip.seen) clip.draw(this);
      }));
      this.clips.forEach(clip => watch.observe(clip.canvas));
      this.play(!still.matches);
    }

    colour() {
      const style = getComputedStyle(this.root);
      this.colours = Object.fromEntries([...SIDES, "floor"].map(n => [n, style.getPropertyValue("--" + n).trim()]));
      this.draw();
    }

    tools() {
      const range = (label, max, step, oninput) => {
        const input = make("input", { type: "range", min: 0, max, step, oninput });
        return [make("label", {}, label, input), input];
      };
      this.button = make("button", { type: "button", className: "play", onclick: () => this.play(!this.playing) });
      const speed = make("select", { onchange: () => { this.speed = Number(speed.value); } });
      for (const value of [0.25, 0.5, 1, 2]) speed.append(new Option(value + " ×", value, value === 1, value === 1));
      const [moment, scrub] = range("moment ", 1, "any", () => {
        this.play(false);
        this.clips.forEach(clip => { clip.phase = Number(scrub.value); clip.time = undefined; });
        this.draw();
      });
      this.scrub = scrub;
      const bar = make("div", { className: "tools" }, this.button, make("label", {}, "speed ", speed), moment);
      bar.setAttribute("role", "toolbar");
      bar.setAttribute("aria-label", "Moving skeletons");
      if (this.clips.some(clip => !clip.flat)) {
        const [turned, slider] = range("turn ", 360, 5, () => this.turn(slider.value * Math.PI / 180, this.pitch));
        this.slider = slider;
        this.views = Object.entries(VIEWS).map(([name, view]) =>
          make("button", { type: "button", textContent: name, onclick: () => this.turn(...view) }));
        const views = make("fieldset", {}, ...this.views);
        views.setAttribute("aria-label", "viewpoint");
        bar.append(views, turned);
      }
      this.root.prepend(bar);
    }

    turn(yaw, pitch) {
      this.yaw = (yaw + 2 * Math.PI) % (2 * Math.PI);
      this.pitch = Math.max(-0.3, Math.min(Math.PI / 2, pitch));
      this.draw();
    }

    play(on) {
      this.playing = on;
      this.button.textContent = on ? "❚❚ pause" : "▶ play";
      this.button.setAttribute("aria-label", on ? "pause" : "play");
      this.last = undefined;
      if (on) requestAnimationFrame(now => this.tick(now));
    }

    tick(now) {
      if (!this.playing) return;
      const seconds = Math.min((now - (this.last ?? now)) / 1000, 0.1) * this.speed;
      this.last = now;
      this.clips.forEach(clip => clip.step(seconds));
      this.draw();
      requestAnimationFrame(later => this.tick(later));
    }

    draw() {
      if (!this.colours) return;
      if (this.clips.length) this.scrub.value = this.clips[0].phase;
      if (this.slider) {
        this.slider.value = this.yaw * 180 / Math.PI;
        Object.values(VIEWS).forEach(([yaw, pitch], n) => this.views[n].setAttribute(
          "aria-pressed", Math.abs(yaw - this.yaw) + Math.abs(pitch - this.pitch) < 0.01));
      }
      this.clips.filter(clip => clip.seen).forEach(clip => clip.draw(this));
    }
  }

  document.querySelectorAll(".player").forEach(root => new Player(root));
})();
