/** A file of its own, so that noVNC is loaded with the first screen. */
export { default as RFB } from '@novnc/novnc';
