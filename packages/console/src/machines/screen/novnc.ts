/** A separate file, so that the browser loads noVNC with the first screen. */
export { default as RFB } from '@novnc/novnc';
