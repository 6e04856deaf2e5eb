/** Why something was refused, by the reason that the server gives. */

import { area } from "../area";
import { en } from "./refusals/en";
import { zhCN } from "./refusals/zhCN";
import { zhTW } from "./refusals/zhTW";

export const refusals = area({ en, "zh-CN": zhCN, "zh-TW": zhTW });
