/** What the timed clock exports from core.wasm; drawing, recording and the bare queue are for tests. */
export { beginTimed, moveSlowly, setDevice, setEnd, setQuantile, setZipf } from "./set_up";
export { startJob, startThread } from "./set_up";
export { draw } from "./draw";
export { record as recordValue } from "./metrics";
export { popEvent, schedule as pushEvent } from "./queue";
export { runTimed, settleTimed } from "./timed";
export { setCost } from "./timed_state";
export { freeFrames } from "./watermarks";
