export * from "./client";
export * from "./log";
export type * from "./protocol";
export { CloseCode, ErrorCode, FRAME_MAX_BYTES, PLANES, SUBPROTOCOL, TEXT_MAX_BYTES, VARIABLES } from "./protocol";
export * from "./preview";
export * from "./reconnect";
export * as reduce from "./view";
export type { View } from "./view";
