/** The settings' words: each part in a file of its own, in all languages side by side. */

import { together } from "../area";
import { connect } from "./settings/connect";
import { endings } from "./settings/endings";
import { faults } from "./settings/faults";
import { file } from "./settings/file";
import { fields } from "./settings/fields";
import { frame } from "./settings/frame";
import { hours } from "./settings/hours";
import { meanwhile } from "./settings/meanwhile";
import { people } from "./settings/people";
import { replies } from "./settings/replies";
import { routing } from "./settings/routing";
import { rules } from "./settings/rules";
import { wall } from "./settings/wall";
import { workbench } from "./settings/workbench";

export const settings = together(connect, endings, faults, fields, file, frame, hours, meanwhile, people, replies, routing, rules, wall, workbench);
