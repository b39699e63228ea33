import { bulkPart } from "./bulk.ts";

bulkPart("debug", 2, 2);
