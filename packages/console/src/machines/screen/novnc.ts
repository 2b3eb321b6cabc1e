/** A file of its own, so that the viewer is loaded with the first screen and not before. */
export { default as RFB } from '@novnc/novnc';
