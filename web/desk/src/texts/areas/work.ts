/** Words of the agent's workbench: each part in a file of its own, in all languages side by side. */

import { together } from "../area";
import { clock } from "./work/clock";
import { colleagues } from "./work/colleagues";
import { ending } from "./work/ending";
import { lists } from "./work/lists";
import { quick } from "./work/quick";
import { quote } from "./work/quote";
import { talk } from "./work/talk";

export const work = together(clock, lists, talk, ending, quote, quick, colleagues);
