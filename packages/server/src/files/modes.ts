/** Mode of a published image: hypervisors that run as another user read it. */
export const imageMode = 0o644;
