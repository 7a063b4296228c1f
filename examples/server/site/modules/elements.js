/** The few things that every page does with its elements. */

import { Refusal } from './api.js';
import { say } from './words.js';

export function by(id) {
  return document.getElementById(id);
}

/** What a `<template>` holds, ready to be filled. */
export function copyOf(id) {
  return by(id).content.firstElementChild.cloneNode(true);
}

/** Puts texts and elements where `data-slot` says. */
export function fill(root, slots) {
  for (const [name, content] of Object.entries(slots)) {
    root.querySelector(`[data-slot="${name}"]`).replaceChildren(...[content].flat());
  }
}

/**
 * Does what a form is for when it is sent. While that takes, it cannot be sent again; a refusal is
 * told at the field that it is about, or above the button, and gets the focus.
 */
export function onSubmit(form, work) {
  let isBusy = false;
  // A form that is there from the beginning cannot be sent before somebody listens.
  for (const button of form.querySelectorAll('button:disabled')) button.disabled = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isBusy) return;
    isBusy = true;
    clear(form);
    const button = event.submitter ?? form.querySelector('button:not([type="button"])');
    // A disabled button would lose the focus.
    button.setAttribute('aria-disabled', 'true');
    try {
      await work(new FormData(form));
    } catch (error) {
      tell(form, asRefusal(error));
    } finally {
      isBusy = false;
      button.removeAttribute('aria-disabled');
    }
  });
}

/** Takes what was told before off a form. */
export function clear(form) {
  for (const line of form.querySelectorAll('.error')) line.hidden = true;
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
}

/** Tells of one field, and moves there. */
export function tellField(form, name, sentence) {
  const line = form.querySelector(`[data-error-of="${name}"]`);
  line.textContent = sentence;
  line.hidden = false;
  // Of several that may be wrong together, the last is the one that was asked for in the end.
  const field = [...form.querySelectorAll(`[aria-describedby~="${line.id}"]:not([hidden] *)`)].at(-1);
  field.setAttribute('aria-invalid', 'true');
  if (!form.querySelector('[aria-invalid]:focus')) field.focus();
}

function tell(form, refusal) {
  const fields = refusal.fields.filter(([name]) => form.querySelector(`[data-error-of="${name}"]`));
  for (const [name, sentence] of fields) tellField(form, name, sentence);
  if (fields.length > 0) return;
  const line = form.querySelector('[data-error]');
  line.textContent = refusal.sentence;
  line.hidden = false;
  line.focus();
}

/** A refusal that a form tells at one field: this code, that field. */
export function refusedAt(form, code, name, error) {
  if (asRefusal(error).code !== code) throw error;
  tellField(form, name, error.sentence);
}

export function asRefusal(error) {
  if (error instanceof Refusal) return error;
  console.error(error);
  return new Refusal('other');
}

/** Opens a dialog afresh. The browser keeps the focus inside and gives it back in the end. */
export function open(dialog) {
  const form = dialog.querySelector('form');
  if (form !== null) clear(form);
  dialog.showModal();
}

for (const button of document.querySelectorAll('dialog [data-close]')) {
  button.addEventListener('click', () => button.closest('dialog').close());
}

/** Loads what a page shows, or tells why it cannot. */
export async function load(work) {
  const failure = by('failure');
  try {
    await work();
    failure.hidden = true;
  } catch (error) {
    failure.textContent = asRefusal(error).sentence;
    failure.hidden = false;
  }
  const loading = by('loading');
  if (loading !== null) loading.hidden = true;
}

/** Says what has come of something, for eyes and ears. */
export function announce(sentence) {
  clearTimeout(announced);
  by('told').textContent = sentence;
  announced = setTimeout(() => by('told').replaceChildren(), 10_000);
}

let announced = null;

/** A name inside quotes or between other words, whatever stands in it. */
export function actOn(button, name) {
  button.setAttribute('aria-label', say('keys.act_on', { act: button.textContent, name }));
}
