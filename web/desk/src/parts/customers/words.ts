/** Loaded with the pages that say them, not with the desk. */

import { learn } from "../../texts";
import { customers } from "../../texts/areas/customers";

learn("customers", customers);
