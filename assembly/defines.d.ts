/** Defined in the debug core only (asconfig.json): ask with isDefined(). */
declare const MM_DEBUG: i32;
