export { sendDatagram } from './kernel/datagram.ts';
