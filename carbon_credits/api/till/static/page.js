/* Elements made by hand: text is text, never markup. */
export function made(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function show(...children) {
  const main = document.getElementById("main");
  main.replaceChildren(...children.filter((child) => child !== null));
  const first = main.querySelector("[data-first]");
  (first ?? main).focus();
}

/* A field with its label; `hint` stands below it. */
export function field(label, given, hint) {
  const input = made("input", { autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true, ...given });
  const described = hint ? made("p", { class: "hint", id: `${given.id}-hint` }, hint) : null;
  if (described) input.setAttribute("aria-describedby", described.id);
  return { input, parts: [made("label", { for: given.id }, label), input, described] };
}

/* A form that does one thing at a time; what goes wrong is said in it. `work` may throw; `excuse` turns that into words. */
export function form(parts, action, work, excuse) {
  const button = made("button", { class: "main", type: "submit" }, action);
  const fault = made("p", { class: "fault", role: "alert", hidden: true });
  return made(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        if (button.disabled) return;
        button.disabled = true;
        fault.hidden = true;
        try {
          await work();
        } catch (error) {
          fault.textContent = excuse(error);
          fault.hidden = false;
        } finally {
          button.disabled = false;
        }
      },
    },
    ...parts.filter((part) => part !== null),
    fault,
    made("div", { class: "row" }, button),
  );
}

export const facts = (pairs) =>
  made("dl", { class: "facts" }, ...pairs.flatMap(([name, value]) => [made("dt", {}, name), made("dd", {}, value)]));
