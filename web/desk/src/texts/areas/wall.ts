/** Words of the supervisor's wall: each part in a file of its own, in all languages side by side. */

import { together } from "../area";
import { acts } from "./wall/acts";
import { board } from "./wall/board";

export const wall = together(board, acts);
