// Training dashboard: curves, scores, remaining time.

import { curves } from "/curves.js";
import { element, announce } from "/element.js";
import { percent, span } from "/format.js";
import { drawn } from "/picture.js";

const at = (id) => document.getElementById(id);
let epochs = [];
let state = { n_epochs: 1, n_stages: 0 };

const column = (name) => epochs.map((epoch) => epoch[name]);
const pair = (name) => () => [
  { colour: "accent", values: column(name) },
  { colour: "second", values: column(`val_${name}`) },
];

/** Epoch with the lowest validation loss so far. */
function best() {
  const losses = epochs.map(({ val_loss, loss }) => val_loss ?? loss);
  return losses.length > 0 ? losses.indexOf(Math.min(...losses)) : null;
}

const options = (share) => () => ({ n_epochs: state.n_epochs, marked: best(), share });
const pictures = [
  drawn(at("loss"), curves(pair("loss"), options(false))),
  drawn(at("accuracy"), curves(pair("accuracy"), options(true))),
];

function card(name, figure, note, best = "") {
  return element("div", {}, element("dt", {}, name), element("dd", { class: `figure ${best}` }, figure), element("dd", { class: "muted small" }, note));
}

const number = (value) => (value == null ? "–" : value.toPrecision(3));
const share = (value) => (value == null ? "–" : percent(value, 1));

function cards() {
  const { n_epochs, left_s, elapsed_s, batch, ended } = state;
  const last = epochs.at(-1) ?? {};
  const under = batch ? `batch ${batch.batch} of ${batch.n_batches}, loss ${number(batch.loss)}` : ended ? "the last" : "ended";
  const kept = best();
  const of = kept == null ? {} : epochs[kept];
  const left = ended ? ["Took", span(elapsed_s), "all epochs of this training"] : ["Time left", left_s == null ? "–" : span(left_s), "if it does not stop early"];
  return [
    card("Epoch", `${epochs.length} of ${n_epochs}`, under),
    card(...left),
    card("Loss", number(last.loss), `validation ${number(last.val_loss)}`),
    ...(last.accuracy == null ? [] : [card("Accuracy", share(last.accuracy), `validation ${share(last.val_accuracy)}`)]),
    ...(kept == null ? [] : [card(ended ? "Best epoch" : "Best epoch so far", String(kept + 1), `loss ${number(of.val_loss ?? of.loss)}, accuracy ${share(of.val_accuracy ?? of.accuracy)}`, "best")]),
  ];
}

function row({ loss, accuracy, val_loss, val_accuracy }, i) {
  const cells = [number(loss), share(accuracy), number(val_loss), share(val_accuracy)];
  return element("tr", {}, element("th", { scope: "row" }, String(i + 1)), cells.map((cell) => element("td", {}, cell)));
}

function caption(name, write) {
  const last = epochs.at(-1);
  const key = (colour, words) => element("span", { class: `key ${colour}` }, words);
  if (!last) return [];
  const validation = last[`val_${name}`] == null ? [] : [key("second", `validation ${write(last[`val_${name}`])}`)];
  return [key("accent", `training ${write(last[name])}`), ...validation, key("mark", "best epoch")];
}

function receive(message) {
  if (message.n_stages !== state.n_stages) {
    epochs = [];
    at("epochs").replaceChildren();
  }
  state = message;
  epochs.length = message.first;
  epochs.push(...message.epochs);
  at("epochs").append(...message.epochs.map((epoch, i) => row(epoch, message.first + i)));
  show(message);
}

function show({ run, stage, n_epochs, ended, batch }) {
  at("run").textContent = run;
  document.title = `${epochs.length}/${n_epochs} ${run} · Cantus`;
  at("stage").textContent = stage === "train" || !stage ? "" : stage;
  at("state").textContent = ended ? "ended" : stage ? "training" : "preparing";
  at("state").classList.toggle("live", !ended);
  at("cards").replaceChildren(...cards());
  const done = (epochs.length + (batch ? batch.batch / batch.n_batches : 0)) / n_epochs;
  at("progress").firstElementChild.style.width = `${100 * Math.min(1, ended ? 1 : done)}%`;
  at("progress").setAttribute("aria-valuenow", epochs.length);
  at("progress").setAttribute("aria-valuemax", n_epochs);
  at("loss-caption").replaceChildren(...caption("loss", number));
  at("accuracy-caption").replaceChildren(...caption("accuracy", share));
  at("accuracy-figure").hidden = epochs.length > 0 && epochs[0].accuracy == null;
  pictures.forEach((picture) => picture.redraw());
  if (ended) {
    at("ended").hidden = false;
    at("ended").textContent = `The training has ended: ${ended}`;
    announce(at("ended").textContent);
  }
}

const events = new EventSource("/events");
events.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  receive(message);
  if (message.ended) events.close();
};
events.onerror = () => {
  if (state.ended) return;
  at("state").textContent = "disconnected";
  at("state").classList.remove("live");
};
