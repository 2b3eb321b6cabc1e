// Apart from the schemas: the console reads it and must not carry zod for it.

/** Header of a serial log's answer: the offset behind its last byte, for the next `from`. */
export const serialEndHeader = 'wcc-serial-end';
