export { Doorbell, TOPICS, type AnswerOptions, type DoorbellStatus, type Topic, type Work } from './doorbell';
export { QueueModule } from './queue.module';
