import { ApiError, call } from './api.js';
import { drawMessage } from './view.js';

const dialog = document.getElementById('editor');
const form = dialog.querySelector('form');
const showError = (problem) => drawMessage(problem, { into: 'editor-error' });

let editedId = null;
let onWritten = () => {};

/**
 * Opens the dialog that adds, changes or deletes a user.
 * @param {object | null} row null: a new one
 * @param {() => void} written called after each write that succeeded
 */
export function openEditor(row, written) {
  editedId = row?.id ?? null;
  onWritten = written;
  document.getElementById('editor-title').textContent = row ? `User ${row.id}` : 'New user';
  document.getElementById('delete').hidden = !row;
  for (const name of ['name', 'age', 'city', 'balance'])
    form.elements[name].value = row?.[name] ?? '';
  showError(null);
  dialog.showModal();
}

function userOfForm() {
  const { name, age, city, balance } = form.elements;
  return {
    name: name.value,
    age: age.value === '' ? null : Number(age.value),
    city: city.value === '' ? null : city.value,
    balance: balance.value === '' ? null : balance.value,
  };
}

async function write(method, path, body) {
  try {
    await call(method, path, { body });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showError(error.problem);
    return;
  }
  dialog.close();
  onWritten();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (editedId === null) write('POST', '/api/users', userOfForm());
  else write('PUT', `/api/users/${editedId}`, userOfForm());
});
document
  .getElementById('delete')
  .addEventListener('click', () => write('DELETE', `/api/users/${editedId}`));
document.getElementById('close').addEventListener('click', () => dialog.close());
