/** Mode of a published image. Hypervisors that run as another user must be able to read it. */
export const imageMode = 0o644;
