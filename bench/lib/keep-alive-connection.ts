import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * One keep-alive connection, one request at a time, of the least that can be: on a machine of few cores an ordinary client would
 * take more of them than what is measured.
 */
export class KeepAliveConnection {
  private socket?: Socket;
  private received = '';
  private settle?: { done: (status: number) => void; failed: (error: Error) => void };

  constructor(private readonly port: number) {}

  async open(): Promise<void> {
    const socket = connect(this.port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    socket.removeAllListeners('error');
    socket.on('data', (text: string) => this.read(text));
    socket.on('error', (error) => this.end(socket, error));
    socket.on('close', () => this.end(socket, new Error('the server closed the connection')));
    this.socket = socket;
  }

  /** Resolves with the status once the whole answer is there. */
  async send(request: Buffer): Promise<number> {
    if (!this.socket) await this.open();
    return new Promise((done, failed) => {
      this.settle = { done, failed };
      this.socket?.write(request);
    });
  }

  close(): void {
    this.socket?.destroy();
  }

  private read(text: string): void {
    this.received += text;
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.received.slice(0, headEnd);
    const length = /content-length: *(\d+)/i.exec(head);
    const complete = length
      ? this.received.length >= headEnd + HEAD_END.length + Number(length[1])
      : !/transfer-encoding: *chunked/i.test(head) || this.received.endsWith(`0${HEAD_END}`);
    if (!complete) return;
    const { settle } = this;
    this.received = '';
    this.settle = undefined;
    settle?.done(Number(head.slice(9, 12)));
  }

  private end(socket: Socket, error: Error): void {
    if (this.socket !== socket) return;
    this.socket = undefined;
    this.received = '';
    this.settle?.failed(error);
    this.settle = undefined;
  }
}
