import { words } from "./words.js";

const say = (words) => (document.getElementById("said").textContent = words);
say(words);
import.meta.hot.accept("./words.js", (module) => say(module.words));
