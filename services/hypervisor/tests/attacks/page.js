// Runs each attempt on its own. What one returns is what it got: null is nothing.
const tries = {};
const why = {};
Object.assign(window, { tries, why, over: false });

export async function attempt(name, work) {
  const limit = new Promise((done) => setTimeout(done, 3000, null));
  try {
    tries[name] = (await Promise.race([work(), limit])) ?? null;
  } catch (error) {
    tries[name] = null;
    why[name] = String(error);
  }
}

document.getElementById("attack").onclick = async () => {
  const { acts } = await import("./acts.js");
  const { origins } = await import("./origins.js");
  await acts(window.facts);
  if (window.facts.others) await origins(window.facts.others);
  window.over = true;
};
