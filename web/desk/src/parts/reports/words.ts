/** Loaded with the pages that say them, not with the desk. */

import { learn } from "../../texts";
import { reports } from "../../texts/areas/reports";

learn("reports", reports);
