// Reads and changes the rows of the file list, whose elements have a data-role.

export function focusNeighbour(row) {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  (firstButton(neighbour) ?? neighbour ?? document.querySelector("input[type=file]"))?.focus();
}

export function firstButton(row) {
  return [...(row?.querySelectorAll("button") ?? [])].find((button) => button.checkVisibility());
}

export function findRole(row, role) {
  return row.querySelector(`[data-role="${role}"]`);
}

/** Sets the label of a button; for screen readers it includes the name of the file. */
export function setLabel(button, label, name) {
  if (button.textContent !== label) button.textContent = label;
  button.setAttribute("aria-label", `${label} ${name}`);
}

export function setText(row, role, text = "") {
  const element = findRole(row, role);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}
