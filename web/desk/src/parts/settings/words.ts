/** Loaded with the pages that say them, not with the desk. */

import { learn } from "../../texts";
import { settings } from "../../texts/areas/settings";

learn("settings", settings);
