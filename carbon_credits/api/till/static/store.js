/* What the till keeps in this browser: who it is, the public keys, titles it has seen, and what it took offline. */
const NAME = "carbon-till";
const KEPT = "kept";
const TAKEN = "taken";
let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(KEPT);
      // a code is taken once at this till: the store itself refuses it a second time
      asked.result.createObjectStore(TAKEN, { keyPath: "code" });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function within(store, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    // only what is on the disk is taken
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error ?? request?.error);
  });
}

export const kept = (name) => within(KEPT, "readonly", (store) => store.get(name));
export const keep = (name, value) => within(KEPT, "readwrite", (store) => store.put(value, name));
export const forget = () => within(KEPT, "readwrite", (store) => store.clear());

export const takenHere = () => within(TAKEN, "readonly", (store) => store.getAll());
export const replace = (entry) => within(TAKEN, "readwrite", (store) => store.put(entry));
export const drop = (code) => within(TAKEN, "readwrite", (store) => store.delete(code));

/* Resolves to false where this till has taken the code before. */
export async function add(entry) {
  try {
    await within(TAKEN, "readwrite", (store) => store.add(entry));
    return true;
  } catch (error) {
    if (error?.name === "ConstraintError") return false;
    throw error;
  }
}
