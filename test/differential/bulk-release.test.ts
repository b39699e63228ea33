import { bulkPart } from "./bulk.ts";

bulkPart("release", 1, 2);
